"""What is particular to the embedded bus: nobody's word is taken for it."""

from kombu.transport.memory import Channel  # noqa: TID251  To see what is left behind in it.

from shared.messaging.bus import PublishResult
from shared.messaging.embedded import EmbeddedBroker
from tests.integration.bus.buses import (
    ACCEPTED,
    TOPOLOGY,
    EmbeddedBuses,
    bodies,
    collect,
    message,
    messages,
)

SOON = 5.0


def test_a_message_is_confirmed_only_when_every_subscriber_has_acknowledged_it() -> None:
    # Given an event that two services hear
    buses = EmbeddedBuses()
    signup = buses.open("signup")
    registration, activation = buses.open("registration"), buses.open("activation")
    future = signup.publish([message(type=ACCEPTED)])
    # When one has acknowledged it and the other only has it in hand
    collect(registration, 1)
    in_hand = collect(activation, 1, acknowledge=False)
    # Then its publisher does not count on it yet
    assert not future.done()
    activation.acknowledge(in_hand)
    assert future.result(SOON) == [PublishResult.CONFIRMED]
    buses.close()


def test_an_outside_queue_that_is_not_here_counts_as_served() -> None:
    # Given an event that nobody in this process reads, though a queue is bound to it
    buses = EmbeddedBuses()
    # When it is published; then it is confirmed at once, and does not pile up
    assert buses.open().publish([message(type=ACCEPTED)]).result(0) == [PublishResult.CONFIRMED]
    assert collect_nothing(buses)
    buses.close()


def collect_nothing(buses: EmbeddedBuses) -> bool:
    return buses.open("registration").receive(10, wait=0, linger=0) == []


def test_a_subscriber_that_has_left_is_missed() -> None:
    # Given a service that was here and has stopped
    buses = EmbeddedBuses()
    website = buses.open()
    buses.open("signup").close()
    # When something is published to it; then its publisher must keep it
    assert website.publish([message()]).result(0) == [PublishResult.UNKNOWN]
    buses.close()


def test_what_waits_in_the_queue_of_a_service_that_stops_stays_with_its_publisher() -> None:
    # Given three messages of which one was taken
    buses = EmbeddedBuses()
    website, signup = buses.open(), buses.open("signup")
    futures = [website.publish([event]) for event in messages(3)]
    signup.receive(1, wait=SOON, linger=0)
    # When the service stops
    signup.close()
    # Then no publisher counts on any of them
    assert [future.result(0) for future in futures] == [[PublishResult.UNKNOWN]] * 3
    buses.close()


def test_a_service_can_be_written_to_before_it_opens() -> None:
    # Given a service that has its bus, and has not opened it yet
    broker = EmbeddedBroker(TOPOLOGY)
    website, signup = broker.bus(None), broker.bus("signup")
    website.open()
    future = website.publish([message("early")])
    assert signup.receive(1, wait=0, linger=0) == []
    # When it opens
    signup.open()
    # Then what came before is waiting, and was not taken for delivered
    assert not future.done()
    assert bodies(collect(signup, 1)) == ["early"]
    signup.close()
    website.close()


def test_two_brokers_in_one_process_do_not_hear_each_other() -> None:
    # Given two brokers with the same topology
    first, second = EmbeddedBuses(), EmbeddedBuses()
    here, there = first.open("signup"), second.open("signup")
    # When something is published at one
    first.open().publish([message("here")])
    # Then it is heard there alone
    assert there.receive(1, wait=0, linger=0) == []
    assert bodies(collect(here, 1)) == ["here"]
    first.close()
    second.close()


def test_a_service_has_its_own_name_at_the_broker() -> None:
    # Given a service that says something
    buses = EmbeddedBuses()
    signup, registration = buses.open("signup"), buses.open("registration")
    signup.publish([message(type=ACCEPTED)])
    # Then whoever hears it knows who said it
    assert collect(registration, 1)[0].user_id == "signup"
    buses.close()


def test_a_closed_broker_leaves_no_queue_in_the_process() -> None:
    # Given a broker that has carried messages
    before = set(Channel.queues)
    buses = EmbeddedBuses()
    website, signup = buses.open(), buses.open("signup")
    website.publish(messages(10))
    collect(signup, 5, acknowledge=False)
    assert set(Channel.queues) != before
    # When its buses are closed; then kombu's memory holds nothing of it
    buses.close()
    assert set(Channel.queues) == before
