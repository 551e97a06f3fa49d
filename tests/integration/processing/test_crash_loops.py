"""A message is dead as one that kills the process only when it did, and nobody else is blamed."""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from shared.base.errors import InfrastructureDown
from shared.persistence.postgres import OPTIONS
from shared.processing.retry_policy import MESSAGE_LEASE
from shared.processing.store.tables import DEAD, DONE, WAITING
from shared.processing.unit_of_work import RERUNS
from shared.processing.worker import watchdog
from tests.integration.processing.conftest import MakeReplica
from tests.integration.processing.people import retry
from tests.integration.processing.tally import (
    MENDED,
    STUMBLES,
    ProcessDied,
    Replica,
    customer,
    message_id,
    release,
)

LATER = max(MESSAGE_LEASE, timedelta(hours=2))


def fail_three_times(replica: Replica, **orders: str) -> None:
    """Each of these customers has a message that fails in good order."""
    replica.take(*(release(name, order) for name, order in orders.items()))
    for _ in range(2):
        assert replica.run_due(timedelta(hours=2)) == len(orders)
    rows = replica.inbox().values()
    assert {(row.status, row.attempts) for row in rows} == {(WAITING, 3)}


def dies(replica: Replica) -> None:
    with pytest.raises(ProcessDied):
        replica.run_due(LATER)


def test_what_failed_before_is_not_dead_after_a_single_crash(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a message that failed three times in good order,
    fail_three_times(replica, bakkerij="broken-1")
    # When the process dies once while it runs,
    with monkeypatch.context() as once:
        once.setitem(STUMBLES, "broken", ProcessDied())
        dies(replica)
    # Then it still says what it failed of, and it is tried again.
    row = replica.inbox()[message_id("bakkerij")]
    assert (row.status, row.error) == (WAITING, "RuntimeError: something unexpected")
    MENDED.add("broken-1")
    assert replica.run_due(LATER) == 1
    assert replica.tallies() == {customer("bakkerij"): 1}


def test_what_is_due_behind_one_that_kills_is_not_blamed_for_it(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given one that will kill the process, and two good ones that are due behind it,
    replica.take(release("killer", "broken-1"))
    replica.now += timedelta(seconds=1)
    replica.take(release("a", "outside-1"), release("b", "outside-2"))
    before = replica.inbox()
    monkeypatch.setitem(STUMBLES, "broken", ProcessDied())
    # When it kills the process again and again, each time with them in the queue behind it,
    dies(replica)
    # Then they have not begun, and nothing is counted against them.
    after = replica.inbox()
    assert all(after[message_id(name)] == before[message_id(name)] for name in "ab")
    # They get through while it is left alone, and it is dead after its third time.
    MENDED.update(("outside-1", "outside-2"))
    assert replica.run_due(MESSAGE_LEASE / 2) == 2
    assert replica.tallies() == {customer("a"): 1, customer("b"): 1}
    dies(replica)
    dies(replica)
    replica.run_due(LATER)
    row = replica.inbox()[message_id("killer")]
    assert row.status == DEAD
    assert "did not end" in (row.error or "")


def test_an_outage_longer_than_the_lease_is_no_death(
    make_replica: MakeReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given two messages that failed three times,
    first, second = make_replica(), make_replica()
    fail_three_times(first, bakkerij="broken-1", slager="broken-2")
    MENDED.update(("broken-1", "broken-2"))

    # and a replica that is about to run them when it loses the database for long,
    def away(*_: object, **__: object) -> None:
        raise InfrastructureDown("the database is away")

    with monkeypatch.context() as outage:
        outage.setattr(first.runtime.engine.transactions, "run", away)
        with pytest.raises(InfrastructureDown):
            first.run_due(LATER)
    # When another finds them due,
    second.now = first.now + LATER
    second.run_due()
    # Then it runs them, and the first, which comes back with them in hand, does nothing twice.
    assert {row.status for row in second.inbox().values()} == {DONE}
    first.run_due(LATER)
    assert first.tallies() == {customer("bakkerij"): 1, customer("slager"): 1}


def test_only_deaths_one_after_the_other_are_counted(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a message that killed the process twice,
    replica.take(release("bakkerij", "broken-1"))
    kills = ProcessDied()
    monkeypatch.setitem(STUMBLES, "broken", kills)
    dies(replica)
    dies(replica)
    # When it then fails in good order, and kills twice again,
    monkeypatch.setitem(STUMBLES, "broken", ConnectionError("the register is down"))
    assert replica.run_due(LATER) == 1
    monkeypatch.setitem(STUMBLES, "broken", kills)
    dies(replica)
    dies(replica)
    # Then it is not dead yet: whatever killed was over in between.
    MENDED.add("broken-1")
    assert replica.run_due(LATER) == 1
    assert replica.tallies() == {customer("bakkerij"): 1}


def test_one_that_killed_and_is_retried_by_a_person_begins_anew(replica: Replica) -> None:
    # Given a message that is dead since it killed the process,
    with pytest.raises(ProcessDied):
        replica.take(release("bakkerij", "deadly-1", redelivered=True))
    dies(replica)
    dies(replica)
    replica.run_due(LATER)
    assert replica.inbox()[message_id("bakkerij")].status == DEAD
    # When a person has mended the cause and retries it,
    retry(replica, message_id("bakkerij"))
    MENDED.add("deadly-1")
    replica.run_due(timedelta(days=400))
    # Then it runs.
    assert replica.tallies() == {customer("bakkerij"): 1}


def test_the_lease_is_longer_than_the_longest_run() -> None:
    # Given how long one run may wait for a lock, and be in its handler,
    (lock,) = re.findall(r"lock_timeout=(\d+)s", OPTIONS)
    once = timedelta(seconds=int(lock) + watchdog.MAX_CHECKS * watchdog.CHECK_SECONDS)
    # When it meets other transactions every time, Then its lease is still not over.
    assert once * (RERUNS + 1) < MESSAGE_LEASE


def test_a_failure_that_the_database_would_not_note_is_no_crash(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a message whose handler fails, and a database that goes away at each commit in turn,
    dialect = replica.database.engine.dialect
    away = dialect.loaded_dbapi.OperationalError("the connection is gone")
    really = dialect.do_commit
    for nth in range(1, 4):
        commits = iter(range(1, 100))

        def commit(connection: Any, nth: int = nth, commits: Iterator[int] = commits) -> None:
            if next(commits) == nth:
                raise away
            really(connection)

        name = f"bakkerij {nth}"
        with monkeypatch.context() as outage:
            outage.setattr(dialect, "do_commit", commit)
            # When it is taken until the database is back,
            with suppress(InfrastructureDown):
                replica.take(release(name, "broken-1"))
        replica.take(release(name, "broken-1"))
        # Then it waits as one that failed, and that never killed anything.
        row = replica.inbox()[message_id(name)]
        assert (row.status, row.crashes, row.attempts) == (WAITING, 0, 1)
