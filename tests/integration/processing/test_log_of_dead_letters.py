"""Each death of a message is logged once and counted once, by its reason, however it died."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs

from shared.base.errors import InfrastructureDown, Reject
from shared.events import CustomerReleased
from shared.messaging.bus import Incoming
from shared.processing.dead_letters import REJECTED, DeathReason
from shared.processing.retry_policy import MAX_CRASHES, MESSAGE_LEASE
from shared.processing.worker.watchdog import MAX_CHECKS
from tests.integration.processing.conftest import MakeReplica
from tests.integration.processing.people import retry
from tests.integration.processing.tally import (
    STUMBLES,
    ProcessDied,
    Remind,
    Replica,
    customer,
    message_id,
    release,
)

NAME = "bakkerij"
EVENT = CustomerReleased.event_type
OWN_ID = message_id(NAME)
"""What died under the id that it came with; `None` stands for a key of its contents."""

Line = dict[str, Any]


def given_up(message: Incoming) -> Incoming:
    return replace(message, dead_lettered="it was delivered again and again")


def unreadable(replica: Replica) -> None:
    replica.take(release(NAME, revision="two"))


def rejected_by_its_handler(replica: Replica) -> None:
    replica.take(release("a"), release(NAME, "never-1"))


def rejected_when_it_came_again(replica: Replica) -> None:
    replica.take(release(NAME, "never-1", redelivered=True))


def rejected_when_it_was_tried_again(replica: Replica) -> None:
    replica.take(release(NAME, "broken-1"))
    STUMBLES["broken"] = Reject("this can never work")
    replica.run_due(timedelta(minutes=1))


def rejected_as_a_command(replica: Replica) -> None:
    def hopeless(*_: object) -> Any:
        raise Reject("this can never work")

    replica.take(release(NAME, "later-1"))
    replica.handlers[Remind.command_type] = hopeless
    replica.run_due(timedelta(days=8))


def replayed_and_rejected(replica: Replica) -> None:
    replica.take(replace(release(NAME, "never-1"), routing_key="tally"))


def its_id_was_reused(replica: Replica) -> None:
    replica.take(release(NAME))
    replica.take(release(NAME, "O-2"), release("a"))


def its_id_was_reused_when_it_came_again(replica: Replica) -> None:
    replica.take(release(NAME))
    replica.take(release(NAME, "O-2", redelivered=True))


def tried_to_the_last(replica: Replica) -> None:
    replica.take(release(NAME, "broken-1"))
    while replica.run_due(timedelta(hours=7)):
        pass


def killed_the_process(replica: Replica) -> None:
    with pytest.raises(ProcessDied):
        replica.take(release(NAME, "deadly-1", redelivered=True))
    for _ in range(MAX_CRASHES - 1):
        with pytest.raises(ProcessDied):
            replica.run_due(MESSAGE_LEASE)
    replica.run_due(MESSAGE_LEASE)


def nothing_was_prepared_for_it(replica: Replica) -> None:
    replica.runtime.engine.take_unprocessable(release(NAME), TypeError("not even this"))


def unreadable_and_given_up_by_the_broker(replica: Replica) -> None:
    replica.take(given_up(release(NAME, revision="two")))


def rejected_when_it_was_retried(replica: Replica) -> None:
    killed_the_process(replica)
    retry(replica, OWN_ID, release_as_document("never-1"))
    replica.run_due(timedelta(days=400))


def retried_when_its_id_was_used(replica: Replica) -> None:
    unreadable(replica)
    (letter_id,) = replica.inbox()
    retry(replica, letter_id, release_as_document("O-2"))
    replica.take(release(NAME))
    replica.run_due(timedelta(days=400))


def release_as_document(order: str) -> Any:
    return json.loads(release(NAME, order).body)


WAYS: list[tuple[Callable[[Replica], None], Line]] = [
    (unreadable, {"reason": "rejected", "attempts": 1, "onboarding_id": None}),
    (rejected_by_its_handler, {"reason": "rejected", "attempts": 1}),
    (rejected_when_it_came_again, {"reason": "rejected", "attempts": 1}),
    (rejected_when_it_was_tried_again, {"reason": "rejected", "attempts": 2}),
    (rejected_as_a_command, {"reason": "rejected", "attempts": 1, "event_type": "tally.remind"}),
    (replayed_and_rejected, {"reason": "rejected", "attempts": 1}),
    (its_id_was_reused, {"reason": "id_reused", "attempts": 1}),
    (its_id_was_reused_when_it_came_again, {"reason": "id_reused", "attempts": 1}),
    (tried_to_the_last, {"reason": "retries_exhausted", "attempts": 6, "message_id": OWN_ID}),
    (killed_the_process, {"reason": "crash_loop", "attempts": 3, "message_id": OWN_ID}),
    (nothing_was_prepared_for_it, {"reason": "rejected", "attempts": 1, "onboarding_id": None}),
    (
        unreadable_and_given_up_by_the_broker,
        {"reason": "dead_lettered_by_broker", "attempts": 1, "onboarding_id": None},
    ),
]
TWICE: list[tuple[Callable[[Replica], None], str, Line]] = [
    (
        rejected_when_it_was_retried,
        "crash_loop",
        {"reason": "rejected", "attempts": 1, "message_id": OWN_ID},
    ),
    (
        retried_when_its_id_was_used,
        "rejected",
        {"reason": "rejected", "attempts": 1, "onboarding_id": None},
    ),
]


@pytest.fixture(autouse=True)
def _mended(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test does to the stumbling blocks is undone."""
    monkeypatch.setitem(STUMBLES, "broken", RuntimeError("something unexpected"))


def deaths(logs: list[Any]) -> list[Line]:
    return [line for line in logs if line["event"] == "message_dead_lettered"]


def assert_told(line: Line, expected: Line, replica: Replica) -> None:
    """The line says which message it was, what it died of, and whose it was."""
    usual = {"service": "tally", "onboarding_id": customer(NAME), "event_type": EVENT}
    told = {name: value for name, value in line.items() if name not in ("event", "log_level")}
    given = told.pop("message_id") if "message_id" not in expected else told["message_id"]
    assert told == usual | expected
    assert line["log_level"] == "error"
    assert given in replica.inbox()


@pytest.mark.parametrize(("die", "expected"), WAYS, ids=lambda way: getattr(way, "__name__", ""))
def test_it_is_logged_and_counted_once(
    replica: Replica, die: Callable[[Replica], None], expected: Line
) -> None:
    # When a message dies in one of all ways to die,
    with capture_logs() as logs:
        die(replica)
    # Then one line tells of it, and it is counted under that reason.
    (line,) = deaths(logs)
    assert_told(line, expected, replica)
    counts = replica.runtime.engine.dead_letters.counts
    assert counts == {
        reason.value: int(reason.value == expected["reason"]) for reason in DeathReason
    }


@pytest.mark.parametrize(
    ("die", "first", "expected"), TWICE, ids=lambda way: getattr(way, "__name__", "")
)
def test_a_letter_that_dies_twice_is_logged_and_counted_twice(
    replica: Replica, die: Callable[[Replica], None], first: str, expected: Line
) -> None:
    # When a person retries a letter, and it dies once more,
    with capture_logs() as logs:
        die(replica)
    # Then each of its deaths has its line.
    before, line = deaths(logs)
    assert before["reason"] == first
    assert_told(line, expected, replica)
    assert replica.runtime.engine.dead_letters.counts.total() == 2


def test_a_handler_that_hangs_each_time_is_logged_and_counted_once(
    make_replica: MakeReplica,
) -> None:
    # Given a message whose handler is found at work check after check,
    replicas = [make_replica() for _ in range(MAX_CRASHES)]
    with capture_logs() as logs:
        for attempt, replica in enumerate(replicas):
            hang(replica)
            replica.now += attempt * timedelta(hours=1)
            # When it is broken off, in one process after the other,
            begin = replica.run_due if attempt else partial(replica.take, release(NAME, "hang"))
            with pytest.raises(InfrastructureDown):
                begin()
    # Then its death is logged where it died, as that of one that kills the process.
    (line,) = deaths(logs)
    expected = {"reason": "crash_loop", "attempts": MAX_CRASHES, "message_id": OWN_ID}
    assert_told(line, expected, replicas[-1])
    counts = [process.runtime.engine.dead_letters.counts.total() for process in replicas]
    assert counts == [0] * (MAX_CRASHES - 1) + [1]


def hang(replica: Replica) -> None:
    """Its handler is still there after so many checks as no handler may take."""
    handler = replica.handlers[EVENT]

    def call(*given: Any) -> Any:
        for _ in range(MAX_CHECKS + 1):
            replica.runtime.check_handlers()
        return handler(*given)

    replica.handlers[EVENT] = call


@pytest.mark.parametrize(
    "message", [release(NAME, "never-1"), given_up(release(NAME, revision="two"))]
)
def test_nothing_is_logged_or_counted_of_what_was_rolled_back(
    replica: Replica, monkeypatch: pytest.MonkeyPatch, message: Incoming
) -> None:
    # Given a database that goes away at every commit,
    dialect = replica.database.engine.dialect
    away = dialect.loaded_dbapi.OperationalError("the connection is gone")

    def refuse(_connection: object) -> None:
        raise away

    with capture_logs() as logs:
        with monkeypatch.context() as outage:
            outage.setattr(dialect, "do_commit", refuse)
            # When a message would die, Then it has not died, and nothing says so.
            with pytest.raises(InfrastructureDown):
                replica.take(message)
        assert deaths(logs) == []
        assert replica.runtime.engine.dead_letters.counts.total() == 0
        # When the database is back, Then it dies, once.
        replica.take(message)
    assert len(deaths(logs)) == 1
    assert replica.runtime.engine.dead_letters.counts.total() == 1


def test_a_batch_that_is_run_again_singly_logs_a_death_in_it_once(replica: Replica) -> None:
    # Given a message that is known,
    replica.take(release(NAME))
    # When other contents come under its id, in a batch that fails for another message,
    with capture_logs() as logs:
        replica.take(release(NAME, "O-2"), release("slager", "broken-1"))
    # Then its death is told once.
    (line,) = deaths(logs)
    assert line["reason"] == "id_reused"


def test_a_dead_letter_that_comes_again_is_one_death(replica: Replica) -> None:
    with capture_logs() as logs:
        for _ in range(3):
            replica.take(release(NAME, "never-1"), given_up(release("slager", revision="two")))
    assert sorted(line["reason"] for line in deaths(logs)) == [
        "dead_lettered_by_broker",
        "rejected",
    ]
    assert all(line["message_id"].startswith(REJECTED) for line in deaths(logs))
