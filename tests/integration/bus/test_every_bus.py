"""What a service may rely on, whichever broker carries its messages."""

import time
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from shared.messaging.bus import (
    BATCH_BYTES,
    EXCHANGE,
    IN_HAND_BYTES,
    PREFETCH,
    Bus,
    Incoming,
    PublishResult,
)
from shared.messaging.rabbitmq.prefetch import FIRST_PREFETCH
from shared.messaging.topology import website_exchange
from tests.integration.bus.buses import (
    ACCEPTED,
    REJECTED,
    SOON,
    SUBMITTED,
    Buses,
    bodies,
    collect,
    message,
    messages,
    receive_in_background,
)
from tests.servers.premises import wait_until

# Who gets what.


def test_every_subscriber_gets_an_event_once_and_nobody_else_does(buses: Buses) -> None:
    # Given two services that hear of accepted sign-ups, one of them of rejected ones too
    website = buses.open()
    signup, registration = buses.open("signup"), buses.open("registration")
    activation = buses.open("activation")
    # When one is accepted and one is rejected, and then something is said to each alone
    website.publish([message("accepted", type=ACCEPTED), message("rejected", type=REJECTED)])
    for queue in ("signup", "registration", "activation"):
        website.publish([message("that was all", queue=queue)])
    # Then each has got what it hears, and no more
    assert bodies(collect(signup, 1)) == ["that was all"]
    assert bodies(collect(registration, 2)) == ["accepted", "that was all"]
    assert bodies(collect(activation, 3)) == ["accepted", "rejected", "that was all"]


def test_a_message_arrives_as_it_was_sent(buses: Buses) -> None:
    # Given a message with all that belongs to it
    website, signup = buses.open(), buses.open("signup")
    sent = message("één sign-up", headers={"traceparent": "00-aa-bb-01"}, content_type="text/plain")
    # When it is published
    website.publish([sent])
    # Then nothing of it is missing
    (incoming,) = collect(signup, 1)
    assert incoming.body == sent.body
    assert incoming.headers == {"traceparent": "00-aa-bb-01"}
    assert incoming.message_id == sent.id
    assert (incoming.type, incoming.routing_key) == (SUBMITTED, SUBMITTED)
    assert incoming.content_type == "text/plain"
    assert not incoming.redelivered


def test_an_empty_body_is_a_message_too(buses: Buses) -> None:
    # When a message without a word is published
    website, signup = buses.open(), buses.open("signup")
    website.publish([message("")])
    # Then it arrives
    assert bodies(collect(signup, 1)) == [""]


def test_what_goes_straight_to_a_queue_reaches_no_other(buses: Buses) -> None:
    # Given two services that hear the same event
    anybody = buses.open()
    registration, activation = buses.open("registration"), buses.open("activation")
    # When it is sent again to one of them, and then something to both
    anybody.publish([message("again", type=ACCEPTED, queue="registration")])
    anybody.publish([message("news", type=ACCEPTED)])
    # Then the other one hears only the news
    assert bodies(collect(activation, 1)) == ["news"]
    again, _ = collect(registration, 2)
    assert (again.body, again.routing_key, again.type) == (b"again", "registration", ACCEPTED)


def test_two_replicas_of_one_service_share_its_messages(buses: Buses) -> None:
    # Given a service that runs twice
    website = buses.open()
    signup, replica = buses.open("signup"), buses.open("signup")
    # When messages are published, and both receive
    website.publish(messages(300))
    received: list[Incoming] = []
    deadline = time.monotonic() + 20
    while len(received) < 300 and time.monotonic() < deadline:
        for bus in (signup, replica):
            batch = bus.receive(20, wait=0.05, linger=0)
            bus.acknowledge(batch)
            received += batch
    # Then each message went to one of them
    assert sorted(bodies(received), key=int) == [str(number) for number in range(300)]


def test_the_order_of_one_publisher_is_kept(buses: Buses) -> None:
    # When a publisher sends 500 messages in ten goes
    website, signup = buses.open(), buses.open("signup")
    all_of_them = messages(500)
    for start in range(0, 500, 50):
        website.publish(all_of_them[start : start + 50])
    # Then they arrive in that order
    assert bodies(collect(signup, 500)) == bodies(all_of_them)


# Batches.


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


# Acknowledging.


def test_an_acknowledged_message_does_not_come_again(buses: Buses) -> None:
    # Given a message that was dealt with
    website, signup = buses.open(), buses.open("signup")
    done = website.publish([message("done")])
    collect(signup, 1)
    # When the service is stopped and started
    assert done.result(SOON) == [PublishResult.CONFIRMED]
    signup.close()
    signup = buses.open("signup")
    website.publish([message("new")])
    # Then it gets only what is new
    assert bodies(collect(signup, 1)) == ["new"]


def test_a_message_that_was_not_acknowledged_comes_again_and_says_so(buses: Buses) -> None:
    # Given a service that stopped before it had dealt with a message
    website, signup = buses.open(), buses.open("signup")
    unfinished = message("unfinished")
    future = website.publish([unfinished])
    collect(signup, 1, acknowledge=False)
    signup.close()
    # When it starts again, and the publisher repeats the message unless it was confirmed
    signup = buses.open("signup")
    if future.result(SOON) != [PublishResult.CONFIRMED]:
        website.publish([replace(unfinished, repeated=True)])
    # Then the message is there again, and warns that it may have been seen before
    (again,) = collect(signup, 1)
    assert (again.body, again.message_id) == (b"unfinished", unfinished.id)
    assert again.redelivered


def test_messages_may_be_acknowledged_in_any_order(buses: Buses) -> None:
    # Given five messages of which the second and fourth are never dealt with
    website, signup = buses.open(), buses.open("signup")
    sent = messages(5)
    future = website.publish(sent)
    first, _, third, _, fifth = collect(signup, 5, acknowledge=False)
    signup.acknowledge([fifth])
    signup.acknowledge([third, first])
    # When the service is stopped and started, and its publisher repeats what was not confirmed
    signup.close()
    results = future.result(SOON)
    signup = buses.open("signup")
    website.publish(
        [
            event
            for event, result in zip(sent, results, strict=True)
            if result is PublishResult.UNKNOWN
        ]
    )
    website.publish([message("that was all")])
    # Then only these two come again
    again = bodies(collect(signup, 3))
    assert sorted(again[:2]) == ["1", "3"]
    assert again[2] == "that was all"


def test_acknowledging_twice_or_too_late_is_harmless(buses: Buses) -> None:
    # Given a message that was acknowledged
    website, signup = buses.open(), buses.open("signup")
    website.publish([message("one")])
    done = collect(signup, 1)
    # When it is acknowledged again, on this bus and on one that is closed
    signup.acknowledge(done)
    website.publish([message("two")])
    assert bodies(collect(signup, 1)) == ["two"]
    signup.close()
    signup.acknowledge(done)
    # Then a new bus works as if nothing had been
    signup = buses.open("signup")
    website.publish([message("three")])
    assert bodies(collect(signup, 1)) == ["three"]


def test_a_message_comes_with_the_exchange_that_it_was_published_to(buses: Buses) -> None:
    # Given a service and a website, each with a line of its own,
    signup, activation = buses.open("signup"), buses.open("activation")
    website = buses.open(exchange=website_exchange("0042"))
    # When each says what it may say,
    website.publish([message("from outside")])
    signup.publish([message("of ours", type=ACCEPTED)])
    # Then whoever hears it is told by which exchange it came, and no other service hears it.
    (outside,) = collect(signup, 1)
    assert (outside.exchange, outside.routing_key) == ("stappenplan.website.0042", SUBMITTED)
    (ours,) = collect(activation, 1)
    assert (ours.exchange, ours.routing_key) == (EXCHANGE, ACCEPTED)


def test_by_an_outside_exchange_nothing_comes_but_what_its_speaker_owns(buses: Buses) -> None:
    # When a website says on its exchange what a service says,
    registration = buses.open("registration")
    website = buses.open(exchange=website_exchange("0042"))
    results = website.publish([message(type=ACCEPTED)]).result(SOON)
    # Then nobody has it, and its publisher hears so.
    assert results == [PublishResult.UNROUTABLE]
    assert registration.receive(1, wait=0.3, linger=0) == []


def test_what_goes_straight_to_a_queue_came_by_no_exchange(buses: Buses) -> None:
    signup = buses.open("signup")
    buses.open(exchange=website_exchange("0042")).publish([message("straight", queue="signup")])
    (incoming,) = collect(signup, 1)
    assert (incoming.exchange, incoming.routing_key) == ("", "signup")
