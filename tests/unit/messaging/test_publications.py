"""When a publisher on the embedded bus hears that its message is confirmed."""

from shared.messaging.bus import Receipt
from shared.messaging.publications import Publications
from shared.messaging.receipts import Receipts


def test_a_message_is_confirmed_when_the_last_queue_has_acknowledged_it() -> None:
    # Given a message in two queues
    publications, receipts = Publications(), Receipts(1)
    one = publications.add("website", receipts, 0, repeated=False, to={"signup", "activation"})
    # When the first acknowledges; then the publisher hears nothing yet
    assert publications.acknowledged(one, "signup") == []
    # When the last one does; then it does, and the message is forgotten
    assert publications.acknowledged(one, "activation") == [receipts]
    receipts.hand_over()
    assert receipts.future.result(0) == [Receipt.CONFIRMED]
    assert len(publications) == 0


def test_one_queue_that_loses_a_message_is_enough_to_publish_it_again() -> None:
    # Given a message in two queues
    publications, receipts = Publications(), Receipts(1)
    one = publications.add("website", receipts, 0, repeated=False, to={"signup", "activation"})
    # When one loses it and the other acknowledges it later
    assert publications.lost(one, "signup") == [receipts]
    assert publications.acknowledged(one, "activation") == []
    # Then its publisher does not count on it
    receipts.hand_over()
    assert receipts.future.result(0) == [Receipt.UNKNOWN]
    assert len(publications) == 0


def test_a_batch_is_answered_when_each_of_its_messages_is() -> None:
    # Given a batch of two
    publications, receipts = Publications(), Receipts(2)
    first, second = (
        publications.add("website", receipts, index, repeated=False, to={"signup"})
        for index in range(2)
    )
    # When they are dealt with, the last one first
    assert publications.acknowledged(second, "signup") == []
    assert publications.lost(first, "signup") == [receipts]
    # Then the receipts are in the order of publishing
    receipts.hand_over()
    assert receipts.future.result(0) == [Receipt.UNKNOWN, Receipt.CONFIRMED]


def test_a_publisher_that_leaves_is_answered_and_the_others_are_not() -> None:
    # Given messages of two publishers
    publications = Publications()
    leaving, staying = Receipts(1), Receipts(1)
    one = publications.add("website", leaving, 0, repeated=False, to={"signup"})
    other = publications.add("king-billing", staying, 0, repeated=False, to={"billing"})
    # When one leaves
    assert publications.abandoned("website") == [leaving]
    # Then it is answered once, and the other goes on waiting
    assert publications.acknowledged(one, "signup") == []
    assert publications.acknowledged(other, "billing") == [staying]


def test_the_first_answer_stands() -> None:
    # Given a message that was answered
    receipts = Receipts(1)
    receipts.note(0, Receipt.UNROUTABLE)
    # When another answer comes
    receipts.note(0, Receipt.CONFIRMED)
    # Then it changes nothing
    assert receipts.complete
    receipts.hand_over()
    assert receipts.future.result(0) == [Receipt.UNROUTABLE]
