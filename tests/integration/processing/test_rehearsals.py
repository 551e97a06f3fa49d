"""A rehearsed retry: what a letter would write and say is shown, and nothing of it happens."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from shared.events import CustomerLoggedIn
from shared.notifications.messages import Mail
from shared.notifications.tables import Notification
from shared.processing import Numbers, Scheduled
from shared.processing.resolutions import NotDeadLettered, WouldBeRejected
from shared.processing.retry_policy import MAX_CRASHES, MESSAGE_LEASE
from shared.processing.store.numbers import NumberAllocator
from shared.processing.store.tables import DEAD
from tests.integration.processing.people import retry
from tests.integration.processing.tally import (
    MENDED,
    ProcessDied,
    Replica,
    customer,
    release,
)

EVERY_PAUSE = 6


def message_id(name: str) -> str:
    return customer(f"message {name}")


def document(name: str, order: str) -> dict[str, Any]:
    return dict(json.loads(release(name, order).body))


def dead(replica: Replica, name: str, order: str) -> str:
    """A message that failed so often that it is dead; the id of its letter."""
    replica.take(release(name, order))
    for _ in range(EVERY_PAUSE):
        replica.run_due(after=MESSAGE_LEASE * 100)
    assert replica.inbox()[message_id(name)].status == DEAD
    return message_id(name)


def everything(replica: Replica) -> object:
    """All that the service has in its books."""
    with replica.database.read() as session:
        mails = [row.id for row in session.execute(select(Notification)).scalars()]
    inbox = {key: row.model_dump() for key, row in replica.inbox().items()}
    return inbox, replica.tallies(), set(replica.outbox()), mails, replica.published


def test_a_rehearsal_shows_what_would_be_written_and_said_and_does_none_of_it(
    replica: Replica,
) -> None:
    # Given a customer who was released once, and a letter about a second time that died of what
    # is mended now
    replica.take(release("bakkerij", message="first"))
    letter = dead(replica, "bakkerij", "broken-1")
    MENDED.add("broken-1")
    before = everything(replica)
    # When its retry is rehearsed
    rehearsal = replica.runtime.engine.rehearse(letter)
    # Then the row is shown before and after, and what would be said;
    (change,) = rehearsal.changes
    assert (change.table, change.key, change.is_new) == ("tally", customer("bakkerij"), False)
    assert change.fields == {"releases": (1, 2)}
    (effect,) = rehearsal.effects
    assert isinstance(effect, CustomerLoggedIn)
    assert rehearsal.error is None
    # nothing has changed: no mark in the inbox, no event, no count.
    assert everything(replica) == before
    # When it is retried in earnest, Then just that comes of it.
    retry(replica, letter)
    assert replica.run_due() == 1
    assert replica.tallies() == {customer("bakkerij"): 2}


def test_mails_and_timers_are_shown_and_leave_nothing_behind(replica: Replica) -> None:
    # Given two letters that would mail somebody, and remind them later, if they were corrected
    mail, later = dead(replica, "mail", "broken-2"), dead(replica, "later", "broken-3")
    before = everything(replica)
    # When a retry with the correction is rehearsed
    engine = replica.runtime.engine
    mailed = engine.rehearse(mail, correction=body(document("mail", "mail-1")))
    reminded = engine.rehearse(later, correction=body(document("later", "later-1")))
    # Then each effect is there, the new row with all its fields, and nothing was kept.
    assert [type(effect) for effect in mailed.effects] == [CustomerLoggedIn, Mail]
    assert [type(effect) for effect in reminded.effects] == [CustomerLoggedIn, Scheduled]
    (change,) = mailed.changes
    assert change.is_new
    assert change.fields["releases"] == (None, 1)
    assert everything(replica) == before


def body(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode()


@pytest.mark.parametrize(
    ("order", "error", "permanent"),
    [
        ("broken-4", "RuntimeError: something unexpected", False),
        ("never-4", "this can never work", True),
    ],
)
def test_what_it_would_die_of_again_is_told_and_counts_no_attempt(
    replica: Replica, order: str, error: str, permanent: bool
) -> None:
    letter = dead(replica, "bakkerij", "broken-0")
    before = everything(replica)
    rehearsal = replica.runtime.engine.rehearse(letter, body(document("bakkerij", order)))
    assert (rehearsal.error, rehearsal.permanent) == (error, permanent)
    assert rehearsal.effects == ()
    assert everything(replica) == before


def test_a_correction_that_would_be_refused_is_refused_before_any_handler(replica: Replica) -> None:
    letter = dead(replica, "bakkerij", "broken-5")
    wrong = document("bakkerij", "mended")
    wrong["data"]["revision"] = "first"
    with pytest.raises(WouldBeRejected, match="revision"):
        replica.runtime.engine.rehearse(letter, body(wrong))


def test_a_refused_letter_is_rehearsed_under_its_own_id_which_stays_free(replica: Replica) -> None:
    # Given an event that was refused, so that its id is free
    replica.take(release("bakkerij", revision="first"))
    (letter,) = replica.inbox()
    assert letter != message_id("bakkerij")
    # When its correction is rehearsed
    rehearsal = replica.runtime.engine.rehearse(letter, body(document("bakkerij", "O-1")))
    # Then it would work, and the right event may still come under that id.
    assert rehearsal.error is None
    assert list(replica.inbox()) == [letter]
    replica.take(release("bakkerij"))
    assert replica.tallies() == {customer("bakkerij"): 1}


def test_what_killed_the_process_is_not_rehearsed(replica: Replica) -> None:
    # Given a message that took the process down until it was given up
    for _ in range(MAX_CRASHES + 1):
        try:
            replica.take(release("bakkerij", "deadly-1", redelivered=True))
            replica.run_due(after=MESSAGE_LEASE * 2)
        except ProcessDied:
            continue
    letter = message_id("bakkerij")
    assert replica.inbox()[letter].status == DEAD
    # When somebody would rehearse it, Then they are told why not, and the process lives.
    with pytest.raises(NotDeadLettered, match="killed the process"):
        replica.runtime.engine.rehearse(letter)


def test_only_what_is_dead_is_rehearsed(replica: Replica) -> None:
    replica.take(release("bakkerij"))
    for letter in (message_id("bakkerij"), "nobody"):
        with pytest.raises(NotDeadLettered):
            replica.runtime.engine.rehearse(letter)


def test_a_rehearsal_uses_up_no_number(replica: Replica) -> None:
    # Given numbers of which some are in stock
    allocator = NumberAllocator(replica.database, ["customer"])
    numbers: Numbers = allocator
    with allocator.reserved(1):
        first = numbers.take("customer")
    # When a rehearsal takes two
    with replica.database.begin() as session, allocator.made_up(session):
        made_up = [numbers.take("customer"), numbers.take("customer")]
    # Then they are nobody's, and the next in earnest follows upon the first.
    with allocator.reserved(1):
        following = numbers.take("customer")
    assert following == first + 1
    assert not {first, following} & set(made_up)
    assert made_up[0] != made_up[1]
