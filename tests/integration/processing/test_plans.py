"""However much is kept, each query finds its rows by an index (PostgreSQL)."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from infra.operations.dead_letters import decisions, letters
from shared.host.counting import count
from shared.notifications import queue
from shared.notifications.queue import WAITING_NOTIFICATIONS
from shared.processing import Person
from shared.processing.store import inbox
from shared.processing.store.inbox import WAITING_MESSAGES
from shared.processing.store.outbox import UNPUBLISHED_EVENTS
from tests.integration.processing.conftest import on_postgresql
from tests.integration.processing.tally import Replica, release

KEPT = 20_000
FILL = """
INSERT INTO inbox (id, type, subject, digest, status, received_at, attempts)
SELECT 'old ' || n, 'customer.released.v1', 'c' || n, 'd', 'done', TIMESTAMPTZ '{now}', 0
FROM generate_series(1, {kept}) n;
INSERT INTO outbox (id, type, subject, body, created_at, leased_until, published_at, attempts)
SELECT 'old ' || n, 't', 'c' || n, 'x', TIMESTAMPTZ '{now}', TIMESTAMPTZ '{now}',
    TIMESTAMPTZ '{now}', 0 FROM generate_series(1, {kept}) n;
INSERT INTO notification (id, onboarding_id, kind, channel, recipient, language, params, status,
    created_at, attempts)
SELECT 'old ' || n, 'c' || n, 'k', 'email', 'a', 'nl', '{{}}', 'sent', TIMESTAMPTZ '{now}', 0
FROM generate_series(1, {kept}) n;
INSERT INTO tally (onboarding_id, releases, reminders)
SELECT 'c' || n, 1, 0 FROM generate_series(1, {kept}) n;
"""
SCAN = re.compile(r"Seq Scan on (inbox|outbox|notification|tally)\b")

pytestmark = on_postgresql


@pytest.fixture
def replica(replica: Replica) -> Replica:
    """A replica that has been at work for long."""
    with replica.database.engine.connect() as connection:
        for statement in FILL.format(now=replica.now.isoformat(), kept=KEPT).split(";"):
            if statement.strip():
                connection.exec_driver_sql(statement)
        connection.commit()
    with replica.database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as plain:
        plain.execute(text("ANALYZE"))
    return replica


def test_no_query_reads_a_whole_table(replica: Replica) -> None:
    # Given every statement that a day's work leads to,
    seen: dict[str, Any] = {}

    def note(
        _c: object, _cur: object, statement: str, parameters: Any, _ctx: object, many: bool
    ) -> None:
        if not many and statement.split(maxsplit=1)[0] in ("SELECT", "INSERT", "UPDATE", "DELETE"):
            seen[statement] = parameters

    event.listen(replica.database.engine, "before_cursor_execute", note)
    batch = [release(f"bakkerij {number}", "mail-1") for number in range(50)]
    replica.take(*batch)
    replica.take(*batch)
    replica.take(release("slager", "broken-1"), release("kapper", "never-1"))
    replica.run_due(timedelta(minutes=1))
    replica.sweep(timedelta(minutes=1))
    replica.runtime.sender.deliver_due()
    replica.runtime.tasks.clean()
    with replica.database.read() as session:
        count(session)
        for leased in (WAITING_MESSAGES, UNPUBLISHED_EVENTS, WAITING_NOTIFICATIONS):
            leased.next_due(session)
    (letter,) = (
        letter
        for letter in letters.find({"tally": replica.database})
        if "never work" in letter.error
    )
    letters.show(replica.database, letter.short_id)
    letters.show(replica.database, letter.id[:12])
    decisions.retry(
        replica.database,
        replica.runtime.engine.decoder,
        letter.id,
        by=Person("anna"),
        why="the test asks",
        at=replica.now,
    )
    event.remove(replica.database.engine, "before_cursor_execute", note)
    # When each is planned, with twenty thousand rows in every table,
    plans = {}
    with replica.database.engine.connect() as connection:
        for statement, parameters in seen.items():
            rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            plans[statement] = "\n".join(row[0] for row in rows)
    # Then none reads a table from end to end.
    assert len(plans) >= 12
    assert [statement for statement, plan in plans.items() if SCAN.search(plan)] == []


def test_old_rows_are_found_by_their_index_even_when_most_are_old(replica: Replica) -> None:
    # Given tables in which all that was there is old,
    seen: list[tuple[str, Any]] = []

    def note(
        _c: object, _cur: object, statement: str, parameters: Any, _ctx: object, _many: bool
    ) -> None:
        seen.append((statement, parameters))

    replica.now += timedelta(days=365)
    event.listen(replica.database.engine, "before_cursor_execute", note)
    # When a portion of each is removed,
    removed = replica.runtime.engine.publisher.forget(replica.now, limit=100)
    with replica.database.begin() as session:
        removed += inbox.forget(session, replica.now, limit=100)
        removed += queue.forget(session, replica.now, limit=100)
    event.remove(replica.database.engine, "before_cursor_execute", note)
    # Then it begins at the oldest, and reads no table from its start.
    assert removed == 300
    assert len(seen) >= 6
    with replica.database.engine.connect() as connection:
        for statement, parameters in seen:
            rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            plan = "\n".join(row[0] for row in rows)
            assert not SCAN.search(plan), f"{statement}\n{plan[:2000]}"


def test_two_replicas_remove_old_rows_side_by_side(replica: Replica) -> None:
    # Given a replica that is removing a portion and has not committed,
    old = replica.now + timedelta(days=1)
    with replica.database.begin() as first, replica.database.begin() as second:
        assert inbox.forget(first, old, limit=1000) == 1000
        # When another removes a portion, Then it takes the next rows, and does not wait.
        assert inbox.forget(second, old, limit=1000) == 1000
    with replica.database.read() as session:
        assert session.execute(text("SELECT count(*) FROM inbox")).scalar_one() == KEPT - 2000
