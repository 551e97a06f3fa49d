"""A cluster of three RabbitMQ nodes may lose one at any moment; no customer notices."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.composition import service_names
from shared.host.settings import Settings
from tests.faults.conftest import Note
from tests.faults.stage import Stage, on_stage
from tests.servers.cluster import Cluster
from tests.servers.postgres import Databases, Postgres
from tests.servers.premises import ServerError

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("cluster")]

HEARTBEAT = 2


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Three nodes, shared by the tests of this file: each leaves them whole."""
    try:
        made = Cluster()
    except ServerError as error:
        pytest.fail(str(error), pytrace=False)
    yield made
    made.close()


@pytest.fixture
def stage(cluster: Cluster, durable_postgres: Postgres, tmp_path: Path) -> Iterator[Stage]:
    """The services on the cluster, whose addresses they all know."""
    cluster.start_afresh()
    near = Settings(
        broker_url=cluster.url,
        broker_heartbeat_seconds=HEARTBEAT,
        database_url=Databases(durable_postgres).make_each(service_names()),
        data_dir=tmp_path,
    )
    with on_stage(near, reached_by={"BROKER_HEARTBEAT_SECONDS": str(HEARTBEAT)}) as stage:
        yield stage


def test_the_leader_is_killed(cluster: Cluster, stage: Stage, note: Note) -> None:
    # When the node that leads a queue is killed, under load
    leader = cluster.leader_of("registration")
    leader.kill()
    # Then the others go on without it
    seconds = stage.recovered()
    leader.start()
    cluster.await_whole()
    # And nothing is lost or doubled
    note("cluster: leader killed", stage.ledger(), seconds)


def test_a_node_is_cut_off(cluster: Cluster, stage: Stage, note: Note) -> None:
    # When the node that leads a queue says nothing any more, and hangs up on nobody, under load
    leader = cluster.leader_of("registration")
    with cluster.suspended(leader):
        # Then the others go on without it
        seconds = stage.recovered()
    # A node that was frozen may stay outside when it wakes: it is restarted, as people would.
    leader.restart()
    cluster.await_whole()
    # And nothing is lost or doubled
    note("cluster: leader cut off", stage.ledger(), seconds)


def test_a_node_is_parted_from_the_others(cluster: Cluster, stage: Stage, note: Note) -> None:
    # When the node that leads a queue no longer hears the others, while its clients still reach it,
    leader = cluster.leader_of("registration")
    with cluster.parted(leader):
        # Then it steps aside (pause_minority), and the others go on
        seconds = stage.recovered()
    cluster.await_whole()
    # And nothing is lost or doubled
    note("cluster: leader parted from the others", stage.ledger(), seconds)


def test_a_rolling_restart(cluster: Cluster, stage: Stage, note: Note) -> None:
    # When every node is restarted in turn, as for an upgrade, under load
    for node in cluster.nodes:
        cluster.await_quorum(node)
        node.restart()
        stage.flowing(5)
    # Then everything goes on, and nothing is lost or doubled
    seconds = stage.recovered()
    note("cluster: rolling restart", stage.ledger(), seconds)
