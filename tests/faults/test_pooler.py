"""By a pooler in transaction mode, however often, nothing is lost, nothing doubled, none blamed."""

import json
import time
from collections.abc import Iterator
from itertools import islice

import pytest

from infra.demo.simulators.website import signups
from shared.host.settings import Settings
from shared.messaging.bus import PublishResult
from tests.faults.conftest import Note
from tests.faults.load import EXAMPLES, outgoing
from tests.faults.stage import Stage, on_stage
from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgres import Postgres
from tests.servers.premises import wait_until

RUNS, EACH = 30, 300
LONGEST = 150.0
"""Seconds after which no further run begins: to set a document for each payer takes long."""


@pytest.fixture
def pooler(durable_postgres: Postgres) -> Iterator[PgBouncer]:
    """With two sessions for each database, and more threads than that who want one."""
    pooler = PgBouncer(durable_postgres, pool_size=2)
    yield pooler
    pooler.close()


@pytest.fixture
def stage(ground: Settings, pooler: PgBouncer) -> Iterator[Stage]:
    """All services, which know their databases by the pooler alone."""
    reached_by = {
        "DATABASE_URL": pooler.before(ground.database_url),
        # What comes beyond this from one office would wait for somebody to look at it.
        "SIGNUPS_PER_OFFICE_HOUR": str(2 * RUNS * EACH),
    }
    with on_stage(ground, reached_by=reached_by) as stage:
        yield stage


def test_sign_ups_by_a_pooler_again_and_again(stage: Stage, note: Note) -> None:
    # Given a website that waits for the broker's confirm of each sign-up,
    stage.load.stop()
    passed_over = EXAMPLES + len(stage.load.submitted) + EACH
    documents = islice(signups(passed_over + RUNS * EACH, seed=4), passed_over, None)
    began, runs = time.monotonic(), 0
    # When it sends hundreds at once, again and again,
    while runs < RUNS and time.monotonic() - began < LONGEST:
        together = list(islice(documents, EACH))
        answers = stage.line.publish([outgoing(document) for document in together]).result(60)
        assert set(answers) == {PublishResult.CONFIRMED}
        stage.load.submitted |= {one["id"]: one["subject"] for one in together}
        everything = len(stage.load.submitted)
        wait_until(lambda: stage.books.arrived() >= everything, "all have arrived", 300)  # noqa: B023
        runs += 1
    # Then each has had its effect, and none was blamed for what a session did not know.
    note("database by a pooler, 300 sign-ups at once, again and again", stage.ledger(), 0.0)
    assert not stage.told("message_failed"), json.dumps(stage.tail())


def test_the_pooler_is_restarted(stage: Stage, pooler: PgBouncer, note: Note) -> None:
    # When the pooler is ended, cutting all connections, and started again, under load
    for _ in range(3):
        pooler.restart()
        stage.flowing(10)
    # Then everything goes on, and nothing is lost or doubled
    seconds = stage.recovered()
    note("pooler restarted, three times", stage.ledger(), seconds)
