"""What a publisher may rely on, and how a line ends, whichever broker carries the messages."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.messaging.bus import MAX_BODY_BYTES, Incoming, Receipt
from tests.integration.bus.exchanges import (
    ACCEPTED,
    SOON,
    UNHEARD,
    Exchange,
    bodies,
    collect,
    letter,
    letters,
    publish_until_confirmed,
    receive_in_background,
)

# Receipts.


def test_a_message_that_nobody_hears_is_reported_and_harms_no_other(exchange: Exchange) -> None:
    # Given an event that no service hears, between two that one does
    website, signup = exchange.line(), exchange.line("signup")
    # When they are published together
    future = website.publish([letter("a"), letter("b", type=UNHEARD), letter("c")])
    # Then each has its own receipt
    assert bodies(collect(signup, 2)) == ["a", "c"]
    assert future.result(SOON) == [Receipt.CONFIRMED, Receipt.UNROUTABLE, Receipt.CONFIRMED]


def test_a_queue_that_does_not_exist_is_reported(exchange: Exchange) -> None:
    # When something is sent straight to a queue that nobody has
    website = exchange.line()
    receipts = website.publish([letter(queue="nobody")]).result(SOON)
    # Then its publisher hears so
    assert receipts == [Receipt.UNROUTABLE]


def test_a_message_that_is_too_large_is_refused_alone(exchange: Exchange) -> None:
    # When a message that is a byte too large goes out with a small one
    website, signup = exchange.line(), exchange.line("signup")
    future = website.publish([letter("x" * (MAX_BODY_BYTES + 1)), letter("small")])
    # Then only the small one arrives
    assert bodies(collect(signup, 1)) == ["small"]
    assert future.result(SOON) == [Receipt.REFUSED, Receipt.CONFIRMED]


def test_publishing_nothing_is_answered_at_once(exchange: Exchange) -> None:
    # When an empty batch is published
    receipts = exchange.line().publish([]).result(SOON)
    # Then it has no receipts
    assert receipts == []


# Much at once.


def test_many_threads_may_publish_at_once(exchange: Exchange) -> None:
    # Given eight threads
    website, signup = exchange.line(), exchange.line("signup")

    def send(sender: int) -> list[Receipt]:
        batches = [website.publish([letter(f"{sender}/{number}")]) for number in range(50)]
        return [receipt for batch in batches for receipt in batch.result(20)]

    # When each publishes fifty messages
    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(send, sender) for sender in range(8)]
        received = bodies(collect(signup, 400))
    # Then all arrive once, and each sender's in its order
    assert all(answer.result() == [Receipt.CONFIRMED] * 50 for answer in answers)
    for sender in range(8):
        own = [one for one in received if one.startswith(f"{sender}/")]
        assert own == [f"{sender}/{number}" for number in range(50)]


def test_five_thousand_messages_arrive_once_each(exchange: Exchange) -> None:
    # Given five thousand messages
    website, signup = exchange.line(), exchange.line("signup")
    sent = letters(5000)
    # When they are published in batches of a hundred
    futures = [website.publish(sent[start : start + 100]) for start in range(0, 5000, 100)]
    # Then each arrives once and is confirmed
    assert bodies(collect(signup, 5000)) == bodies(sent)
    assert all(future.result(20) == [Receipt.CONFIRMED] * 100 for future in futures)


def test_a_service_may_publish_what_follows_from_what_it_received(exchange: Exchange) -> None:
    # Given a service that answers each event with another
    website, signup = exchange.line(), exchange.line("signup")
    registration = exchange.line("registration")
    website.publish(letters(20))
    # When it does so before it acknowledges
    batch = collect(signup, 20, acknowledge=False)
    signup.publish([letter(one, type=ACCEPTED) for one in bodies(batch)])
    signup.acknowledge(batch)
    # Then what it said has arrived
    assert bodies(collect(registration, 20)) == bodies(batch)


# Stopping.


def test_a_waiting_service_can_be_interrupted(exchange: Exchange) -> None:
    # Given two threads that wait for messages
    signup = exchange.line("signup")
    waiting = [receive_in_background(signup, 10, wait=60, linger=1) for _ in range(2)]
    # When they are interrupted
    signup.interrupt()
    # Then both return with nothing
    for thread, batch in waiting:
        thread.join(SOON)
        assert not thread.is_alive()
        assert batch == []


def test_an_interruption_just_before_the_waiting_is_not_missed(exchange: Exchange) -> None:
    # Given an interruption that comes while nobody waits
    signup = exchange.line("signup")
    signup.interrupt()
    # When somebody is about to wait
    began = time.monotonic()
    signup.receive(10, wait=60, linger=1)
    # Then it returns at once, and only this time
    assert time.monotonic() - began < SOON
    began = time.monotonic()
    signup.receive(10, wait=0.1, linger=1)
    assert time.monotonic() - began >= 0.1
    exchange.line().publish([letter("after that")])
    assert bodies(collect(signup, 1)) == ["after that"]


def test_closing_ends_the_waiting(exchange: Exchange) -> None:
    # Given a thread that waits for messages
    signup = exchange.line("signup")
    thread, batch = receive_in_background(signup, 10, wait=60, linger=1)
    # When the line is closed
    signup.close()
    # Then it returns with nothing, and so does whoever asks later
    thread.join(SOON)
    assert not thread.is_alive()
    assert batch == []
    assert signup.receive(10, wait=60, linger=1) == []


def test_closing_answers_every_publisher(exchange: Exchange) -> None:
    # Given a message that is not yet confirmed
    website, _signup = exchange.line(), exchange.line("signup")
    future = website.publish(letters(100))
    # When the publisher's line is closed, twice even
    website.close()
    website.close()
    # Then it has its receipts, and whatever comes later is not taken
    assert future.done()
    assert website.publish([letter()]).result(SOON) == [Receipt.UNKNOWN]


@pytest.mark.parametrize("queue", ["signup", None])
def test_a_line_is_healthy_from_its_opening_to_its_closing(
    exchange: Exchange, queue: str | None
) -> None:
    # Given a line that is up
    line = exchange.line(queue)
    assert line.healthy()
    # When it is closed
    line.close()
    # Then it is not healthy any more
    assert not line.healthy()


def test_a_service_that_stops_again_and_again_loses_nothing(exchange: Exchange) -> None:
    # Given a publisher that repeats what is not confirmed
    website, signup = exchange.line(), exchange.line("signup")
    sent = letters(100)
    publishing = threading.Thread(target=publish_until_confirmed, args=(website, sent))
    publishing.start()
    done: list[Incoming] = []
    # When the service stops five times with messages in hand
    for _ in range(5):
        batch = signup.receive(10, wait=SOON, linger=0)
        signup.acknowledge(batch[::2])
        done += batch[::2]
        signup.close()
        signup = exchange.line("signup")
    # Then every message is dealt with in the end
    deadline = time.monotonic() + 20
    while len(set(bodies(done))) < 100:
        assert time.monotonic() < deadline, "messages were lost"
        batch = signup.receive(100, wait=0.2, linger=0)
        signup.acknowledge(batch)
        done += batch
    publishing.join(SOON)
    assert not publishing.is_alive()
