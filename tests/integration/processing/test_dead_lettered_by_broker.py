"""What the broker gave up is run alone by its service: a count of deliveries blames nobody."""

from dataclasses import replace
from datetime import timedelta

import pytest

from infra.operations.dead_letters import letters
from shared.messaging.bus import Incoming
from shared.processing.retry_policy import MAX_CRASHES, MESSAGE_LEASE
from shared.processing.store.tables import DONE, WAITING
from tests.integration.processing.people import retry
from tests.integration.processing.tally import (
    MENDED,
    ProcessDied,
    Replica,
    customer,
    message_id,
    release,
)


def dead_lettered(message: Incoming) -> Incoming:
    return replace(message, dead_lettered="it was delivered again and again")


def test_what_the_broker_gave_up_is_run_alone_and_succeeds(replica: Replica) -> None:
    # When a message comes that was delivered too often, twice, since a crash may come in between,
    for _ in range(2):
        replica.take(dead_lettered(release("bakkerij")))
    # Then it waits, due at once; no attempt is counted, and it says why it waits.
    row = replica.inbox()[message_id("bakkerij")]
    assert (row.status, row.subject) == (WAITING, customer("bakkerij"))
    assert (row.attempts, row.crashes) == (0, 0)
    assert "the broker gave it up" in (row.error or "")
    # When its time comes, Then it has its effect, once, and nothing is dead.
    assert replica.run_due() == 1
    assert replica.tallies() == {customer("bakkerij"): 1}
    assert letters.find({"tally": replica.database}) == []


def test_what_the_broker_gave_up_is_dead_after_three_crashes_of_its_own(replica: Replica) -> None:
    # Given a message that the broker gave up, and that does kill the process,
    replica.take(dead_lettered(release("bakkerij", "deadly-1")), dead_lettered(release("slager")))
    # When it has killed three processes,
    for _ in range(MAX_CRASHES):
        with pytest.raises(ProcessDied):
            replica.run_due(MESSAGE_LEASE)
    replica.run_due(MESSAGE_LEASE)
    # Then it is dead, with what is known of it,
    (letter,) = letters.find({"tally": replica.database})
    assert (letter.id, letter.attempts) == (message_id("bakkerij"), MAX_CRASHES)
    assert "the process died" in letter.error
    # and the one beside it was run.
    assert replica.tallies() == {customer("slager"): 1}
    # A person may retry it.
    MENDED.add("deadly-1")
    retry(replica, letter.id)
    replica.run_due(timedelta(days=400))
    assert replica.tallies() == {customer("bakkerij"): 1, customer("slager"): 1}


def test_what_the_broker_gave_up_after_it_was_done_is_not_dead(replica: Replica) -> None:
    replica.take(release("bakkerij"))
    replica.take(dead_lettered(release("bakkerij")))
    assert replica.inbox()[message_id("bakkerij")].status == DONE
    assert letters.find({"tally": replica.database}) == []


def test_what_the_broker_gave_up_while_it_waits_goes_on_waiting(replica: Replica) -> None:
    # Given a message that is tried again later by the service itself,
    replica.take(release("bakkerij", "broken-1"))
    # When the broker gives it up, Then its next try is not taken from it.
    replica.take(dead_lettered(release("bakkerij", "broken-1")))
    assert replica.inbox()[message_id("bakkerij")].status == WAITING
    MENDED.add("broken-1")
    replica.run_due(timedelta(days=400))
    assert replica.tallies() == {customer("bakkerij"): 1}


def test_what_the_broker_gave_up_and_nobody_can_read_is_kept_too(replica: Replica) -> None:
    replica.take(dead_lettered(Incoming(b"\xff\xfe", "customer.released.v1")))
    (letter,) = letters.find({"tally": replica.database})
    assert "the broker gave it up" in letter.error
    assert "not valid JSON" in letter.error


def test_an_id_with_other_contents_that_the_broker_gave_up_is_not_swallowed(
    replica: Replica,
) -> None:
    replica.take(release("bakkerij"))
    replica.take(dead_lettered(release("bakkerij", "O-2")))
    (letter,) = letters.find({"tally": replica.database})
    assert "used before" in letter.error


def test_what_the_broker_gave_up_does_not_hold_up_what_came_with_it(replica: Replica) -> None:
    replica.take(release("a"), dead_lettered(release("b")), release("c"))
    assert replica.tallies() == {customer("a"): 1, customer("c"): 1}
