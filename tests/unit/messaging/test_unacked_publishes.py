"""When a publisher on the embedded bus hears that its message is confirmed."""

from shared.messaging.batches import PendingBatch
from shared.messaging.bus import PublishResult
from shared.messaging.embedded.unacked import UnackedPublishes


def test_a_message_is_confirmed_when_the_last_queue_has_acknowledged_it() -> None:
    # Given a message in two queues
    publishes, batch = UnackedPublishes(), PendingBatch(1)
    event = publishes.add("website", batch, 0, repeated=False, to={"signup", "activation"})
    # When the first acknowledges; then the publisher hears nothing yet
    assert publishes.acknowledge(event, "signup") == []
    # When the last one does; then it does, and the message is forgotten
    assert publishes.acknowledge(event, "activation") == [batch]
    batch.resolve()
    assert batch.future.result(0) == [PublishResult.CONFIRMED]
    assert len(publishes) == 0


def test_one_queue_that_loses_a_message_is_enough_to_publish_it_again() -> None:
    # Given a message in two queues
    publishes, batch = UnackedPublishes(), PendingBatch(1)
    event = publishes.add("website", batch, 0, repeated=False, to={"signup", "activation"})
    # When one loses it and the other acknowledges it later
    assert publishes.lose(event, "signup") == [batch]
    assert publishes.acknowledge(event, "activation") == []
    # Then its publisher does not count on it
    batch.resolve()
    assert batch.future.result(0) == [PublishResult.UNKNOWN]
    assert len(publishes) == 0


def test_a_batch_is_answered_when_each_of_its_messages_is() -> None:
    # Given a batch of two
    publishes, batch = UnackedPublishes(), PendingBatch(2)
    first, second = (
        publishes.add("website", batch, index, repeated=False, to={"signup"}) for index in range(2)
    )
    # When they are dealt with, the last one first
    assert publishes.acknowledge(second, "signup") == []
    assert publishes.lose(first, "signup") == [batch]
    # Then the results are in the order of publishing
    batch.resolve()
    assert batch.future.result(0) == [PublishResult.UNKNOWN, PublishResult.CONFIRMED]


def test_a_publisher_that_leaves_is_answered_and_the_others_are_not() -> None:
    # Given messages of two publishers
    publishes = UnackedPublishes()
    leaving, staying = PendingBatch(1), PendingBatch(1)
    event = publishes.add("website", leaving, 0, repeated=False, to={"signup"})
    other = publishes.add("king-billing", staying, 0, repeated=False, to={"billing"})
    # When one leaves
    assert publishes.abandon("website") == [leaving]
    # Then it is answered once, and the other goes on waiting
    assert publishes.acknowledge(event, "signup") == []
    assert publishes.acknowledge(other, "billing") == [staying]
