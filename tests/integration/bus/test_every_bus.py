"""What a service may rely on, whichever broker carries its messages."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from shared.messaging.bus import IN_HAND, MAX_BODY_BYTES, Bus, Incoming, Receipt
from tests.integration.bus.exchanges import (
    ACCEPTED,
    REJECTED,
    SUBMITTED,
    UNHEARD,
    Exchange,
    bodies,
    collect,
    letter,
    letters,
    publish_until_confirmed,
)

SOON = 5.0
"""Seconds within which something that should happen at once has happened, on a busy machine."""


def receive_in_background(
    bus: Bus, limit: int, wait: float, linger: float
) -> tuple[threading.Thread, list[Incoming]]:
    """A thread that receives once; its batch is in the list when it has ended."""
    batch: list[Incoming] = []
    thread = threading.Thread(target=lambda: batch.extend(bus.receive(limit, wait, linger)))
    thread.start()
    return thread, batch


# Who gets what.


def test_every_subscriber_gets_an_event_once_and_nobody_else_does(exchange: Exchange) -> None:
    # Given two services that hear of accepted sign-ups, one of them of rejected ones too
    website = exchange.line()
    signup, registration = exchange.line("signup"), exchange.line("registration")
    activation = exchange.line("activation")
    # When one is accepted and one is rejected, and then something is said to each alone
    website.publish([letter("accepted", type=ACCEPTED), letter("rejected", type=REJECTED)])
    for queue in ("signup", "registration", "activation"):
        website.publish([letter("that was all", queue=queue)])
    # Then each has got what it hears, and no more
    assert bodies(collect(signup, 1)) == ["that was all"]
    assert bodies(collect(registration, 2)) == ["accepted", "that was all"]
    assert bodies(collect(activation, 3)) == ["accepted", "rejected", "that was all"]


def test_a_message_arrives_as_it_was_sent(exchange: Exchange) -> None:
    # Given a message with all that belongs to it
    website, signup = exchange.line(), exchange.line("signup")
    sent = letter("één sign-up", headers={"traceparent": "00-aa-bb-01"}, content_type="text/plain")
    # When it is published
    website.publish([sent])
    # Then nothing of it is missing
    (got,) = collect(signup, 1)
    assert got.body == sent.body
    assert got.headers == {"traceparent": "00-aa-bb-01"}
    assert (got.message_id, got.type, got.routing_key) == (sent.id, SUBMITTED, SUBMITTED)
    assert got.content_type == "text/plain"
    assert not got.redelivered


def test_an_empty_body_is_a_message_too(exchange: Exchange) -> None:
    # When a message without a word is published
    website, signup = exchange.line(), exchange.line("signup")
    website.publish([letter("")])
    # Then it arrives
    assert bodies(collect(signup, 1)) == [""]


def test_what_goes_straight_to_a_queue_reaches_no_other(exchange: Exchange) -> None:
    # Given two services that hear the same event
    line = exchange.line()
    registration, activation = exchange.line("registration"), exchange.line("activation")
    # When it is sent again to one of them, and then something to both
    line.publish([letter("again", type=ACCEPTED, queue="registration")])
    line.publish([letter("news", type=ACCEPTED)])
    # Then the other one hears only the news
    assert bodies(collect(activation, 1)) == ["news"]
    again, _ = collect(registration, 2)
    assert (again.body, again.routing_key, again.type) == (b"again", "registration", ACCEPTED)


def test_two_lines_of_one_service_share_its_messages(exchange: Exchange) -> None:
    # Given a service that runs twice
    website = exchange.line()
    signup, replica = exchange.line("signup"), exchange.line("signup")
    # When messages are published, and both receive
    website.publish(letters(300))
    received: list[Incoming] = []
    deadline = time.monotonic() + 20
    while len(received) < 300 and time.monotonic() < deadline:
        for line in (signup, replica):
            batch = line.receive(20, wait=0.05, linger=0)
            line.acknowledge(batch)
            received += batch
    # Then each message went to one of them
    assert sorted(bodies(received), key=int) == [str(number) for number in range(300)]


def test_the_order_of_one_publisher_is_kept(exchange: Exchange) -> None:
    # When a publisher sends 500 messages in ten goes
    website, signup = exchange.line(), exchange.line("signup")
    all_of_them = letters(500)
    for start in range(0, 500, 50):
        website.publish(all_of_them[start : start + 50])
    # Then they arrive in that order
    assert bodies(collect(signup, 500)) == bodies(all_of_them)


# Batches.


def test_a_batch_is_never_larger_than_the_limit(exchange: Exchange) -> None:
    # Given ten messages
    website, signup = exchange.line(), exchange.line("signup")
    website.publish(letters(10))
    # When they are received four at a time
    sizes = [len(signup.receive(4, wait=SOON, linger=0.5)) for _ in range(3)]
    # Then the batches are full as long as there is enough
    assert sizes == [4, 4, 2]


def test_a_lone_message_waits_no_longer_than_the_linger(exchange: Exchange) -> None:
    # Given one message
    website, signup = exchange.line(), exchange.line("signup")
    website.publish([letter()])
    # When up to a hundred are asked for
    began = time.monotonic()
    batch = signup.receive(100, wait=30.0, linger=0.05)
    # Then it comes alone, and does not wait for the others
    assert len(batch) == 1
    assert time.monotonic() - began < SOON


def test_a_message_that_comes_during_the_linger_joins_the_batch(exchange: Exchange) -> None:
    # Given somebody who waits for three
    website, signup = exchange.line(), exchange.line("signup")
    waiting, batch = receive_in_background(signup, 3, wait=20, linger=20)
    # When they come one after the other
    for one in letters(3):
        website.publish([one])
    # Then they come in one batch, as soon as it is full
    waiting.join(SOON)
    assert bodies(batch) == ["0", "1", "2"]


def test_receiving_nothing_ends_after_the_wait(exchange: Exchange) -> None:
    # Given an empty queue
    signup = exchange.line("signup")
    # When somebody waits for a moment
    began = time.monotonic()
    batch = signup.receive(10, wait=0.1, linger=10)
    # Then there is nothing, after that moment
    assert batch == []
    assert 0.1 <= time.monotonic() - began < SOON


def test_waiting_costs_no_processor_time(exchange: Exchange) -> None:
    # Given an empty queue
    signup = exchange.line("signup")
    # When somebody waits for half a second
    began = time.process_time()
    signup.receive(10, wait=0.5, linger=0.003)
    # Then the process has slept nearly all the while
    assert time.process_time() - began < 0.1


def test_a_service_has_a_bounded_number_of_messages_in_hand(exchange: Exchange) -> None:
    # Given more messages than one service may have in hand
    website, signup = exchange.line(), exchange.line("signup")
    website.publish(letters(IN_HAND + 100))
    # When it takes all it can get and acknowledges none
    in_hand = collect(signup, IN_HAND, acknowledge=False)
    # Then it gets no more until it has acknowledged some
    assert signup.receive(100, wait=0.3, linger=0) == []
    signup.acknowledge(in_hand)
    rest = [str(number) for number in range(IN_HAND, IN_HAND + 100)]
    assert bodies(collect(signup, 100)) == rest


# Acknowledging.


def test_an_acknowledged_message_does_not_come_again(exchange: Exchange) -> None:
    # Given a message that was dealt with
    website, signup = exchange.line(), exchange.line("signup")
    done = website.publish([letter("done")])
    collect(signup, 1)
    # When the service is stopped and started
    assert done.result(SOON) == [Receipt.CONFIRMED]
    signup.close()
    signup = exchange.line("signup")
    website.publish([letter("new")])
    # Then it gets only what is new
    assert bodies(collect(signup, 1)) == ["new"]


def test_a_message_that_was_not_acknowledged_comes_again_and_says_so(exchange: Exchange) -> None:
    # Given a service that stopped before it had dealt with a message
    website, signup = exchange.line(), exchange.line("signup")
    unfinished = letter("unfinished")
    future = website.publish([unfinished])
    collect(signup, 1, acknowledge=False)
    signup.close()
    # When it starts again, and the publisher repeats the message unless it was confirmed
    signup = exchange.line("signup")
    if future.result(SOON) != [Receipt.CONFIRMED]:
        website.publish([replace(unfinished, repeated=True)])
    # Then the message is there again, and warns that it may have been seen before
    (again,) = collect(signup, 1)
    assert (again.body, again.message_id) == (b"unfinished", unfinished.id)
    assert again.redelivered


def test_messages_may_be_acknowledged_in_any_order(exchange: Exchange) -> None:
    # Given five messages of which the second and fourth are never dealt with
    website, signup = exchange.line(), exchange.line("signup")
    sent = letters(5)
    future = website.publish(sent)
    first, _, third, _, fifth = collect(signup, 5, acknowledge=False)
    signup.acknowledge([fifth])
    signup.acknowledge([third, first])
    # When the service is stopped and started, and its publisher repeats what was not confirmed
    signup.close()
    receipts = future.result(SOON)
    signup = exchange.line("signup")
    website.publish(
        [one for one, receipt in zip(sent, receipts, strict=True) if receipt is Receipt.UNKNOWN]
    )
    website.publish([letter("that was all")])
    # Then only these two come again
    again = bodies(collect(signup, 3))
    assert sorted(again[:2]) == ["1", "3"]
    assert again[2] == "that was all"


def test_acknowledging_twice_or_too_late_is_harmless(exchange: Exchange) -> None:
    # Given a message that was acknowledged
    website, signup = exchange.line(), exchange.line("signup")
    website.publish([letter("one")])
    done = collect(signup, 1)
    # When it is acknowledged again, on this line and on one that is closed
    signup.acknowledge(done)
    website.publish([letter("two")])
    assert bodies(collect(signup, 1)) == ["two"]
    signup.close()
    signup.acknowledge(done)
    # Then a new line works as if nothing had been
    signup = exchange.line("signup")
    website.publish([letter("three")])
    assert bodies(collect(signup, 1)) == ["three"]


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
