"""What operators tell each other of dead letters, and how a service stands."""

from datetime import timedelta

from shared.host.standing import standing
from shared.host.tasks import DECISIONS_KEPT
from shared.processing.store import triage
from shared.processing.store.triage import Care
from tests.integration.processing.tally import Replica, release


def put(replica: Replica, care: Care, by: str) -> None:
    with replica.database.begin() as session:
        triage.put(session, "letter", care, by, replica.now)


def test_what_is_said_of_a_letter_replaces_what_was_said_before(replica: Replica) -> None:
    put(replica, Care("Wacht op KING", "anna", on_hold=True), by="anna")
    put(replica, Care(None, "bram", on_hold=False), by="bram")
    with replica.database.read() as session:
        said = triage.of(session, ["letter", "another"])
    assert list(said) == ["letter"]
    row = said["letter"]
    assert (row.note, row.owner, row.on_hold, row.changed_by) == (None, "bram", False, "bram")


def test_what_nobody_changed_for_a_year_is_forgotten(replica: Replica) -> None:
    put(replica, Care("x", None, on_hold=False), by="anna")
    replica.now += DECISIONS_KEPT - timedelta(days=1)
    assert replica.runtime.tasks.clean() == 0
    replica.now += timedelta(days=2)
    assert replica.runtime.tasks.clean() == 1
    with replica.database.read() as session:
        assert not triage.of(session, ["letter"])


def test_timers_are_told_apart_from_retries_and_both_from_what_is_due(replica: Replica) -> None:
    # Given a reminder for next week, one message that failed, and one that can never work
    replica.take(release("bakkerij", "later-1"))
    replica.take(release("slagerij", "broken-1"))
    replica.take(release("kapper", "never-1"))
    # When the service is looked at, Then each is counted where it belongs.
    now = standing(replica.runtime)
    assert (now.due, now.retries, now.timers, now.dead) == (0, 1, 1, 1)
    # When the retry's time has come, Then it is due, and the oldest since then.
    replica.now += timedelta(seconds=30)
    later = standing(replica.runtime)
    assert (later.due, later.retries, later.timers) == (1, 0, 1)
    assert later.oldest is not None
    assert later.oldest <= replica.now
