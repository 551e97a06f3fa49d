"""What the broker gave up is kept by its service, as a dead letter that says why."""

from dataclasses import replace
from datetime import timedelta

from infra.operations.dead_letters import letters
from shared.messaging.bus import Incoming
from shared.processing.store.tables import DONE, WAITING
from tests.integration.processing.people import retry
from tests.integration.processing.tally import (
    MENDED,
    Replica,
    customer,
    message_id,
    release,
)


def dead_lettered(message: Incoming) -> Incoming:
    return replace(message, dead_lettered="it was delivered again and again")


def test_what_the_broker_gave_up_is_a_dead_letter_under_its_own_id(replica: Replica) -> None:
    # When a message comes that no consumer survived, twice, since a crash may come in between,
    for _ in range(2):
        replica.take(dead_lettered(release("bakkerij")))
    # Then it is dead with the reason, and was not run.
    (letter,) = letters.find({"tally": replica.database})
    assert (letter.id, letter.subject) == (message_id("bakkerij"), customer("bakkerij"))
    assert "the broker gave it up" in letter.error
    assert replica.tallies() == {}
    # A person may retry it.
    retry(replica, letter.id)
    replica.run_due(timedelta(days=400))
    assert replica.tallies() == {customer("bakkerij"): 1}


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
