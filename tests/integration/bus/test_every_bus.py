"""What a service may rely on, whichever broker carries its messages."""

import time
from dataclasses import replace

from shared.messaging.bus import EXCHANGE, Incoming, PublishResult
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
)

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
