"""What only a real broker can do to a connection: and the bus mends it each time."""

import threading
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from shared.messaging.bus import EXCHANGE, PublishResult
from shared.messaging.rabbitmq import RabbitBus, publisher, reconnecting_channel
from shared.messaging.topology import Topology
from shared.messaging.topology.declare import apply
from tests.integration.bus.buses import (
    ACCEPTED,
    SOON,
    SUBMITTED,
    TOPOLOGY,
    RabbitBuses,
    bodies,
    collect,
    message,
    messages,
    publish_until_confirmed,
)
from tests.integration.bus.foreign import (
    RECOVERED,
    events,
    open_channel,
    vhost_of,
    with_room_for_one,
)
from tests.servers.premises import wait_until
from tests.servers.rabbitmq import RabbitMQ


def cut_all_connections(rabbitmq: RabbitMQ, rabbit: RabbitBuses) -> None:
    """Close every connection to the virtual host, from the broker's side."""
    rabbitmq.ctl("close_all_connections", "--vhost", vhost_of(rabbit), "test")


def test_nothing_is_lost_when_every_connection_is_cut_under_load(
    rabbitmq: RabbitMQ, rabbit: RabbitBuses
) -> None:
    # Given a publisher that repeats what is not confirmed, and a service that keeps up
    website, signup = rabbit.open(), rabbit.open("signup")
    sent: list[str] = []
    seen: set[str] = set()
    enough, finished = threading.Event(), threading.Event()

    def publish() -> None:
        while not enough.is_set():
            batch = [message(len(sent) + number) for number in range(20)]
            publish_until_confirmed(website, batch)
            sent.extend(bodies(batch))

    def consume() -> None:
        while not finished.is_set():
            batch = signup.receive(100, wait=0.2, linger=0.003)
            seen.update(bodies(batch))
            signup.acknowledge(batch)

    threads = threading.Thread(target=publish), threading.Thread(target=consume)
    for thread in threads:
        thread.start()
    # When the broker cuts every connection in the middle of it
    wait_until(lambda: len(seen) > 100, "the messages flow", SOON)
    cut_all_connections(rabbitmq, rabbit)
    before = len(seen)
    wait_until(lambda: len(seen) > before + 100, "the messages flow again", RECOVERED)
    enough.set()
    # Then every future was answered, and every message arrived
    threads[0].join(RECOVERED)
    assert not threads[0].is_alive()
    wait_until(lambda: seen == set(sent), "every message has arrived", RECOVERED)
    finished.set()
    threads[1].join(SOON)


def test_an_acknowledgement_of_before_the_cut_is_dropped(
    rabbitmq: RabbitMQ, rabbit: RabbitBuses
) -> None:
    # Given a message in hand while the connection is cut
    website, signup = rabbit.open(), rabbit.open("signup")
    website.publish([message("in hand")]).result(SOON)
    before = collect(signup, 1, acknowledge=False)
    cut_all_connections(rabbitmq, rabbit)
    # When it is acknowledged under its old number, after it has come again under the same number
    again = collect(signup, 1, acknowledge=False)
    assert again[0].redelivered
    signup.acknowledge(before)
    # Then it still waits for its own acknowledgement
    signup.close()
    signup = rabbit.open("signup")
    assert bodies(collect(signup, 1)) == ["in hand"]


def test_a_service_subscribes_again_when_its_queue_was_deleted_and_made_anew(
    rabbit: RabbitBuses,
) -> None:
    # Given a service at work
    signup = rabbit.open("signup")
    # When its queue is deleted
    channel = open_channel(rabbit.url)
    channel.queue_delete("signup")
    wait_until(lambda: not signup.healthy(), "the service notices", SOON)
    # And made again
    apply(TOPOLOGY, rabbit.url)
    # Then it hears again, by itself
    wait_until(signup.healthy, "the service has subscribed again", RECOVERED)
    rabbit.open().publish([message("after that")])
    assert bodies(collect(signup, 1)) == ["after that"]
    channel.connection.close()


def test_a_service_waits_for_a_queue_that_is_not_there_yet(rabbit: RabbitBuses) -> None:
    # Given a broker without the service's queue
    channel = open_channel(rabbit.url)
    channel.queue_delete("signup")
    early = RabbitBus(rabbit.url, queue="signup", name="signup")
    with capture_logs() as logs:
        early.open()
        wait_until(lambda: "broker_channel_closed" in events(logs), "it was turned away", SOON)
    assert not early.healthy()
    # When the topology is applied
    apply(TOPOLOGY, rabbit.url)
    # Then it subscribes
    wait_until(early.healthy, "the service has subscribed", RECOVERED)
    early.close()
    channel.connection.close()


@pytest.fixture
def plain(vhost: str) -> Iterator[RabbitBuses]:
    """A broker with one queue, without dead letters.

    RabbitMQ 3.10 stumbles when a queue that has a place for its dead letters is deleted, with its
    virtual host, soon after a restart; the tests that come next would feel it.
    """
    buses = RabbitBuses(vhost, Topology((), website_says=()))
    channel = open_channel(vhost)
    channel.queue_declare("signup", durable=True, arguments={"x-queue-type": "quorum"})
    channel.queue_bind("signup", EXCHANGE, SUBMITTED)
    channel.connection.close()
    yield buses
    buses.close()


def test_a_service_outlives_the_death_of_its_broker(
    rabbitmq: RabbitMQ, plain: RabbitBuses, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a service, and a message that the broker has confirmed
    monkeypatch.setattr(publisher, "SEND_TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(reconnecting_channel, "RECONNECT_DELAY_MAX_SECONDS", 0.5)
    website, signup = plain.open(), plain.open("signup")
    assert website.publish([message("safe")]).result(SOON) == [PublishResult.CONFIRMED]
    collect(signup, 1, acknowledge=False)
    # When the broker dies, not so soon after the queues were made that it forgets them
    rabbitmq.ctl("eval", "[dets:sync(Table) || Table <- dets:all()].")
    rabbitmq.kill()
    try:
        # Then whoever publishes is told so in bounded time, and waiting is no error
        wait_until(lambda: not website.healthy(), "the bus notices", SOON)
        assert website.publish([message("too early")]).result(SOON) == [PublishResult.UNKNOWN]
        assert signup.receive(10, wait=0.05, linger=0) == []
    finally:
        rabbitmq.start()
    # And when it is back, all goes on, and what was not acknowledged comes again
    wait_until(lambda: website.healthy() and signup.healthy(), "both are connected", RECOVERED)
    publish_until_confirmed(website, [message("afterwards")])
    again = collect(signup, 2)
    assert bodies(again) == ["safe", "afterwards"]
    assert again[0].redelivered


def test_a_service_that_gets_no_answer_from_its_queue_tries_again(
    rabbitmq: RabbitMQ, rabbit: RabbitBuses, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a queue that answers nothing, although its broker is alive
    monkeypatch.setattr(reconnecting_channel, "CHANNEL_READY_TIMEOUT_SECONDS", 0.5)
    queue = f"'{vhost_of(rabbit)}_signup'"
    rabbitmq.ctl("eval", f"sys:suspend({queue}).")
    signup = RabbitBus(rabbit.url, queue="signup", name="signup")
    # When a service subscribes to it
    with capture_logs() as logs:
        signup.open()
        wait_until(lambda: "broker_channel_timeout" in events(logs), "it gives up", SOON)
    assert not signup.healthy()
    # Then it is heard as soon as the queue answers again
    rabbitmq.ctl("eval", f"sys:resume({queue}).")
    wait_until(signup.healthy, "it has subscribed", RECOVERED)
    rabbit.open().publish([message("after that")])
    assert bodies(collect(signup, 1)) == ["after that"]
    signup.close()


def test_a_connection_that_is_left_without_a_confirm_is_given_up(
    rabbitmq: RabbitMQ, rabbit: RabbitBuses, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a publisher whose queue answers nothing, although its broker is alive
    monkeypatch.setattr(publisher, "CONFIRM_TIMEOUT_SECONDS", 0.5)
    website = rabbit.open()
    queue = f"'{vhost_of(rabbit)}_signup'"
    rabbitmq.ctl("eval", f"sys:suspend({queue}).")
    # When the confirm of a message does not come
    with capture_logs() as logs:
        assert website.publish([message("lost?")]).result(SOON) == [PublishResult.UNKNOWN]
        # Then the publisher is told so, and has another connection soon
        wait_until(lambda: "broker_connected" in events(logs), "there is another connection", SOON)
    assert "broker_connection_lost" in events(logs)
    # And that one confirms as soon as the queue answers again
    rabbitmq.ctl("eval", f"sys:resume({queue}).")
    publish_until_confirmed(website, [message("after that")])


def test_a_connection_that_goes_on_refusing_is_replaced(
    rabbit: RabbitBuses, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a publisher whose channel refuses what is for one of two queues
    monkeypatch.setattr(publisher, "NACK_TOLERANCE_SECONDS", 0.0)
    full, website = with_room_for_one(rabbit), rabbit.open()
    assert website.publish([message()]).result(SOON) == [PublishResult.CONFIRMED]
    with capture_logs() as logs:
        # When it publishes for both of them
        sent = [message(type=kind) for kind in (ACCEPTED, SUBMITTED, ACCEPTED)]
        results = website.publish(sent).result(SOON)
        # Then each message has its answer,
        assert results == [PublishResult.CONFIRMED, PublishResult.REFUSED, PublishResult.CONFIRMED]
        # and whatever comes next goes by a new connection, for the old one might refuse for ever.
        assert website.publish([message(type=ACCEPTED)]).result(SOON) == [PublishResult.CONFIRMED]
    expected = ["publish_nacked", "broker_connected"]
    assert [event for event in events(logs) if event in expected] == expected
    # Once there is room, all is taken.
    full.queue_purge("signup")
    publish_until_confirmed(website, [message()])
    full.connection.close()


def test_a_broker_short_of_memory_still_takes_acknowledgements(
    rabbitmq: RabbitMQ, rabbit: RabbitBuses
) -> None:
    # Given a service that may have one message in hand, and two messages for it
    website, signup = rabbit.open(), rabbit.open("signup", prefetch=1)
    website.publish(messages(2)).result(SOON)
    first = collect(signup, 1, acknowledge=False)
    # When the broker raises its memory alarm, and stops reading from who publishes
    rabbitmq.ctl("set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        with capture_logs() as logs:
            said = signup.publish([message("I publish too", type="signup.accepted.v1")])
            wait_until(lambda: "broker_blocked" in events(logs), "it is blocked", SOON)
        # Then the service can acknowledge all the same, and so gets the next message
        signup.acknowledge(first)
        assert bodies(collect(signup, 1)) == ["1"]
        assert not said.done()
    finally:
        rabbitmq.ctl("set_vm_memory_high_watermark", "0.4")
    # And what it published is taken when the alarm is over
    assert said.result(RECOVERED) == [PublishResult.CONFIRMED]


def test_a_fault_in_the_thread_of_the_connections_is_survived(rabbit: RabbitBuses) -> None:
    # Given a service with a message in hand
    website, signup = rabbit.open(), rabbit.open("signup")
    website.publish([message("in hand")]).result(SOON)
    collect(signup, 1, acknowledge=False)

    def fault() -> None:
        raise RuntimeError("a fault that nobody foresaw")

    # When something goes wrong on the thread that serves its connections
    with capture_logs() as logs:
        signup._ioloop.add_callback_threadsafe(fault)  # There is no way to cause it from outside.
        wait_until(lambda: "broker_io_loop_crashed" in events(logs), "the fault is told", SOON)
        # Then the bus starts over, and the message comes again
        again = collect(signup, 1)
    assert bodies(again) == ["in hand"]
    wait_until(signup.healthy, "the bus is connected", RECOVERED)
    answer = signup.publish([message("still here", type="signup.accepted.v1")])
    assert answer.result(RECOVERED) == [PublishResult.CONFIRMED]
