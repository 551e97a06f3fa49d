"""What a service receives at once and has in hand, whichever broker carries its messages."""

import time
from concurrent.futures import Future
from typing import Any

from shared.messaging.bus import BATCH_BYTES, IN_HAND_BYTES, PREFETCH, Bus, Incoming, PublishResult
from shared.messaging.rabbitmq.prefetch import FIRST_PREFETCH
from tests.integration.bus.buses import (
    SOON,
    Buses,
    bodies,
    collect,
    message,
    messages,
    receive_in_background,
)
from tests.servers.premises import wait_until


def test_a_batch_is_never_larger_than_the_limit(buses: Buses) -> None:
    # Given ten messages
    website, signup = buses.open(), buses.open("signup")
    website.publish(messages(10))
    # When they are received four at a time
    sizes = [len(signup.receive(4, wait=SOON, linger=0.5)) for _ in range(3)]
    # Then the batches are full as long as there is enough
    assert sizes == [4, 4, 2]


def test_a_lone_message_waits_no_longer_than_the_linger(buses: Buses) -> None:
    # Given one message
    website, signup = buses.open(), buses.open("signup")
    website.publish([message()])
    # When up to a hundred are asked for
    began = time.monotonic()
    batch = signup.receive(100, wait=30.0, linger=0.05)
    # Then it comes alone, and does not wait for the others
    assert len(batch) == 1
    assert time.monotonic() - began < SOON


def test_a_message_that_comes_during_the_linger_joins_the_batch(buses: Buses) -> None:
    # Given somebody who waits for three
    website, signup = buses.open(), buses.open("signup")
    waiting, batch = receive_in_background(signup, 3, wait=20, linger=20)
    # When they come one after the other
    for event in messages(3):
        website.publish([event])
    # Then they come in one batch, as soon as it is full
    waiting.join(SOON)
    assert bodies(batch) == ["0", "1", "2"]


def test_receiving_nothing_ends_after_the_wait(buses: Buses) -> None:
    # Given an empty queue
    signup = buses.open("signup")
    # When somebody waits for a moment
    began = time.monotonic()
    batch = signup.receive(10, wait=0.1, linger=10)
    # Then there is nothing, after that moment
    assert batch == []
    assert 0.1 <= time.monotonic() - began < SOON


def test_waiting_costs_no_processor_time(buses: Buses) -> None:
    # Given an empty queue
    signup = buses.open("signup")
    # When somebody waits for half a second
    began = time.process_time()
    signup.receive(10, wait=0.5, linger=0.003)
    # Then the process has slept nearly all the while
    assert time.process_time() - began < 0.1


def test_a_service_has_a_bounded_number_of_messages_in_hand(buses: Buses) -> None:
    # Given a service that has dealt with some messages, so that it is trusted with more at once,
    website, signup = buses.open(), buses.open("signup")
    website.publish(messages(FIRST_PREFETCH))
    collect(signup, FIRST_PREFETCH)
    # and more of them than it may have in hand
    website.publish(messages(PREFETCH + 100))
    # When it takes all it can get and acknowledges none
    in_hand = collect(signup, PREFETCH, acknowledge=False)
    # Then it gets no more until it has acknowledged some
    assert signup.receive(100, wait=0.3, linger=0) == []
    signup.acknowledge(in_hand)
    numbers = range(PREFETCH + 100)
    received = bodies(in_hand) + bodies(collect(signup, 100))
    assert sorted(received) == sorted(map(str, numbers))


def test_what_is_in_hand_is_bounded_by_bytes_too(buses: Buses) -> None:
    # Given more than a service may have in hand, in messages that are small enough by number
    website = buses.open()
    signup: Any = buses.open("signup")
    website.publish(messages(FIRST_PREFETCH))
    collect(signup, FIRST_PREFETCH)
    large = "x" * 900_000
    count = 2 * IN_HAND_BYTES // len(large)
    published = [publish_with_room(website, large) for _ in range(count)]
    # When it takes all it can get and acknowledges none, Then each batch is bounded,
    in_hand: list[Incoming] = []
    while batch := signup.receive(200, wait=5 if not in_hand else 0.5, linger=0):
        assert sum(len(each.body) for each in batch) <= BATCH_BYTES
        in_hand += batch
    # and so is all that it has in hand, as far as one more fits.
    assert len(large) < signup.in_hand.peak < IN_HAND_BYTES + 2 * len(large)
    assert len(in_hand) < count
    # Once it acknowledges, the rest comes, each once.
    signup.acknowledge(in_hand)
    collect(signup, count - len(in_hand))
    assert signup.receive(1, wait=0.1, linger=0) == []
    assert signup.in_hand.number == 0
    assert all(each.result(SOON) == [PublishResult.CONFIRMED] for each in published)


def publish_with_room(bus: Bus, text: str) -> "Future[list[PublishResult]]":
    """Publish a message once there is room for it: what waits to leave is bounded, too."""
    handed_over: list[Future[list[PublishResult]]] = []

    def is_taken() -> bool:
        handed_over.append(bus.publish([message(text)]))
        last = handed_over[-1]
        return not (last.done() and last.result() == [PublishResult.UNKNOWN])

    wait_until(is_taken, "there is room", 4 * SOON)
    return handed_over[-1]


def test_a_service_that_is_paused_has_nothing_in_hand(buses: Buses) -> None:
    # Given a service with two messages in hand that cannot deal with anything now
    website, signup = buses.open(), buses.open("signup")
    website.publish([message("first"), message("second")])
    in_hand = collect(signup, 2, acknowledge=False)
    # When it pauses, Then it is well, and receives nothing, neither those nor what comes now;
    signup.pause()
    website.publish([message("third")])
    assert signup.receive(10, wait=0.5, linger=0) == []
    wait_until(signup.healthy, "it is connected", SOON)
    signup.acknowledge(in_hand)  # Nobody may have dealt with them: it does no harm.
    # and once it goes on, all come.
    signup.resume()
    assert sorted(bodies(collect(signup, 3))) == ["first", "second", "third"]


def test_a_service_that_pauses_takes_nothing_more_of_what_was_delivered(buses: Buses) -> None:
    # Given a service to which more is delivered than it takes,
    website, signup = buses.open(), buses.open("signup")
    website.publish([message("first"), message("second"), message("third")])
    for _ in range(20):
        wait_until(lambda: bool(signup.receive(1, SOON, 0)), "one is taken", SOON)
        # When it pauses, Then it takes nothing, from this very moment on;
        signup.pause()
        assert signup.receive(10, wait=0, linger=0) == []
        signup.resume()
    # and nothing of it is lost.
    seen: set[str] = set()
    while seen != {"first", "second", "third"}:
        seen.update(bodies(collect(signup, 1)))
