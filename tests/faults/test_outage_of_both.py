"""Connections to the broker that are lost while the database is away: nobody is to blame for it."""

import pytest
from sqlalchemy import make_url

from infra.demo.simulators.website import signups
from shared.host.settings import Settings
from shared.messaging.topology.topology import DELIVERY_LIMIT
from tests.faults.conftest import Note
from tests.faults.load import EXAMPLES, outgoing
from tests.faults.proxy import Proxy
from tests.faults.stage import Stage, on_stage, within
from tests.servers.postgres import Postgres

COUNT = 100
LOST = DELIVERY_LIMIT + 2
"""So often that the broker gives up whatever is in hand each time."""

DEAD = "SELECT count(*) FROM inbox WHERE status = 'dead'"


@pytest.mark.faults
def test_the_broker_is_lost_again_and_again_while_the_database_is_away(
    durable_postgres: Postgres, ground: Settings, note: Note
) -> None:
    # Given a hundred sign-ups that come in just when the database has gone
    address = make_url(ground.broker_url)
    with Proxy(str(address.host), int(address.port or 0)) as proxy:
        near = address.set(host="127.0.0.1", port=proxy.port)
        reached_by = {"BROKER_URL": near.render_as_string(hide_password=False)}
        with on_stage(ground, reached_by=reached_by) as stage:
            stage.load.stop()
            documents = list(signups(EXAMPLES + 3000 + COUNT, seed=4))[-COUNT:]
            durable_postgres.kill()
            stage.line.publish([outgoing(document) for document in documents]).result(60)
            within(60, lambda: stage.told("infrastructure_down"), "the services notice")
            # When each connection to the broker is lost, again and again, and all is well again,
            for _ in range(LOST):
                seen = proxy.accepted
                proxy.reset()
                within(30, lambda: proxy.accepted >= seen + 3, "they connect")  # noqa: B023
            durable_postgres.start()
            # Then every one of them goes all the way, and none is dead.
            stage.load.submitted |= {document["id"]: document["subject"] for document in documents}
            seconds = stage.recovered()
            note("database away, broker lost 52 times", stage.ledger(), seconds)
            assert dead(stage) == 0


def dead(stage: Stage) -> int:
    """How many messages are dead at signup."""
    return int(stage.books.rows("signup", DEAD)[0][0])
