"""Replicas of the small service, on SQLite and on PostgreSQL."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.processing.testing import RecordingBus
from tests.integration.processing.tally import MENDED, Replica
from tests.servers.postgres import MakeDatabase

MakeReplica = Callable[..., Replica]


@pytest.fixture(params=["sqlite", "postgresql"])
def make_replica(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeReplica]:
    """Each call is one more process on the same database."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/tally.db"
    else:
        make: MakeDatabase = request.getfixturevalue("make_database")
        url = make("tally")
    replicas: list[Replica] = []

    def another(bus: RecordingBus | None = None) -> Replica:
        replica = Replica(url, tmp_path, bus)
        if not replicas:
            replica.make_tables()
        replicas.append(replica)
        return replica

    yield another
    for replica in replicas:
        replica.database.close()
    MENDED.clear()


@pytest.fixture
def replica(make_replica: MakeReplica) -> Replica:
    return make_replica()
