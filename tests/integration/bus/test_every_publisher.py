"""What a publisher may rely on, and how a bus ends, whichever broker carries the messages."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.events.envelope import MAX_BODY_BYTES
from shared.messaging.bus import Incoming, PublishResult
from tests.integration.bus.buses import (
    ACCEPTED,
    SOON,
    UNHEARD,
    Buses,
    bodies,
    collect,
    message,
    messages,
    publish_until_confirmed,
    receive_in_background,
)

# Results.


def test_a_message_that_nobody_hears_is_reported_and_harms_no_other(buses: Buses) -> None:
    # Given an event that no service hears, between two that one does
    website, signup = buses.open(), buses.open("signup")
    # When they are published together
    future = website.publish([message("a"), message("b", type=UNHEARD), message("c")])
    # Then each has its own result
    assert bodies(collect(signup, 2)) == ["a", "c"]
    assert future.result(SOON) == [
        PublishResult.CONFIRMED,
        PublishResult.UNROUTABLE,
        PublishResult.CONFIRMED,
    ]


def test_a_queue_that_does_not_exist_is_reported(buses: Buses) -> None:
    # When something is sent straight to a queue that nobody has
    website = buses.open()
    results = website.publish([message(queue="nobody")]).result(SOON)
    # Then its publisher hears so
    assert results == [PublishResult.UNROUTABLE]


def test_a_message_that_is_too_large_is_refused_alone(buses: Buses) -> None:
    # When a message that is a byte too large goes out with a small one
    website, signup = buses.open(), buses.open("signup")
    future = website.publish([message("x" * (MAX_BODY_BYTES + 1)), message("small")])
    # Then only the small one arrives
    assert bodies(collect(signup, 1)) == ["small"]
    assert future.result(SOON) == [PublishResult.REFUSED, PublishResult.CONFIRMED]


def test_publishing_nothing_is_answered_at_once(buses: Buses) -> None:
    # When an empty batch is published
    results = buses.open().publish([]).result(SOON)
    # Then it has no results
    assert results == []


# Much at once.


def test_many_threads_may_publish_at_once(buses: Buses) -> None:
    # Given eight threads
    website, signup = buses.open(), buses.open("signup")

    def send(sender: int) -> list[PublishResult]:
        batches = [website.publish([message(f"{sender}/{number}")]) for number in range(50)]
        return [result for batch in batches for result in batch.result(20)]

    # When each publishes fifty messages
    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(send, sender) for sender in range(8)]
        received = bodies(collect(signup, 400))
    # Then all arrive once, and each sender's in its order
    assert all(answer.result() == [PublishResult.CONFIRMED] * 50 for answer in answers)
    for sender in range(8):
        own = [body for body in received if body.startswith(f"{sender}/")]
        assert own == [f"{sender}/{number}" for number in range(50)]


def test_five_thousand_messages_arrive_once_each(buses: Buses) -> None:
    # Given five thousand messages
    website, signup = buses.open(), buses.open("signup")
    sent = messages(5000)
    # When they are published in batches of a hundred
    futures = [website.publish(sent[start : start + 100]) for start in range(0, 5000, 100)]
    # Then each arrives once and is confirmed
    assert bodies(collect(signup, 5000)) == bodies(sent)
    assert all(future.result(20) == [PublishResult.CONFIRMED] * 100 for future in futures)


def test_a_service_may_publish_what_follows_from_what_it_received(buses: Buses) -> None:
    # Given a service that answers each event with another
    website, signup = buses.open(), buses.open("signup")
    registration = buses.open("registration")
    website.publish(messages(20))
    # When it does so before it acknowledges
    batch = collect(signup, 20, acknowledge=False)
    signup.publish([message(body, type=ACCEPTED) for body in bodies(batch)])
    signup.acknowledge(batch)
    # Then what it said has arrived
    assert bodies(collect(registration, 20)) == bodies(batch)


# Stopping.


def test_a_waiting_service_can_be_interrupted(buses: Buses) -> None:
    # Given two threads that wait for messages
    signup = buses.open("signup")
    waiting = [receive_in_background(signup, 10, wait=60, linger=1) for _ in range(2)]
    # When they are interrupted
    signup.interrupt()
    # Then both return with nothing
    for thread, batch in waiting:
        thread.join(SOON)
        assert not thread.is_alive()
        assert batch == []


def test_an_interruption_just_before_the_waiting_is_not_missed(buses: Buses) -> None:
    # Given an interruption that comes while nobody waits
    signup = buses.open("signup")
    signup.interrupt()
    # When somebody is about to wait
    began = time.monotonic()
    signup.receive(10, wait=60, linger=1)
    # Then it returns at once, and only this time
    assert time.monotonic() - began < SOON
    began = time.monotonic()
    signup.receive(10, wait=0.1, linger=1)
    assert time.monotonic() - began >= 0.1
    buses.open().publish([message("after that")])
    assert bodies(collect(signup, 1)) == ["after that"]


def test_closing_ends_the_waiting(buses: Buses) -> None:
    # Given a thread that waits for messages
    signup = buses.open("signup")
    thread, batch = receive_in_background(signup, 10, wait=60, linger=1)
    # When the bus is closed
    signup.close()
    # Then it returns with nothing, and so does whoever asks later
    thread.join(SOON)
    assert not thread.is_alive()
    assert batch == []
    assert signup.receive(10, wait=60, linger=1) == []


def test_closing_answers_every_publisher(buses: Buses) -> None:
    # Given a message that is not yet confirmed
    website, _signup = buses.open(), buses.open("signup")
    future = website.publish(messages(100))
    # When the publisher's bus is closed, twice even
    website.close()
    website.close()
    # Then it has its results, and whatever comes later is not taken
    assert future.done()
    assert website.publish([message()]).result(SOON) == [PublishResult.UNKNOWN]


@pytest.mark.parametrize("queue", ["signup", None])
def test_a_bus_is_healthy_from_its_opening_to_its_closing(buses: Buses, queue: str | None) -> None:
    # Given a bus that is connected
    bus = buses.open(queue)
    assert bus.healthy()
    # When it is closed
    bus.close()
    # Then it is not healthy any more
    assert not bus.healthy()


def test_a_service_that_stops_again_and_again_loses_nothing(buses: Buses) -> None:
    # Given a publisher that repeats what is not confirmed
    website, signup = buses.open(), buses.open("signup")
    sent = messages(100)
    publishing = threading.Thread(target=publish_until_confirmed, args=(website, sent))
    publishing.start()
    done: list[Incoming] = []
    # When the service stops five times with messages in hand
    for _ in range(5):
        batch = signup.receive(10, wait=SOON, linger=0)
        signup.acknowledge(batch[::2])
        done += batch[::2]
        signup.close()
        signup = buses.open("signup")
    # Then every message is dealt with in the end
    deadline = time.monotonic() + 20
    while len(set(bodies(done))) < 100:
        assert time.monotonic() < deadline, "messages were lost"
        batch = signup.receive(100, wait=0.2, linger=0)
        signup.acknowledge(batch)
        done += batch
    publishing.join(SOON)
    assert not publishing.is_alive()
