"""What only a real broker can do to a line: and it mends itself each time."""

import threading
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from shared.messaging.bus import EXCHANGE, Receipt
from shared.messaging.declare import apply
from shared.messaging.rabbitmq import RabbitBus, line, publishing
from shared.messaging.topology import Topology
from tests.integration.bus.exchanges import (
    ACCEPTED,
    SOON,
    SUBMITTED,
    TOPOLOGY,
    RabbitExchange,
    bodies,
    collect,
    letter,
    letters,
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


def cut_all_connections(rabbitmq: RabbitMQ, rabbit: RabbitExchange) -> None:
    """Close every connection to the virtual host, from the broker's side."""
    rabbitmq.ctl("close_all_connections", "--vhost", vhost_of(rabbit), "test")


def test_nothing_is_lost_when_every_connection_is_cut_under_load(
    rabbitmq: RabbitMQ, rabbit: RabbitExchange
) -> None:
    # Given a publisher that repeats what is not confirmed, and a service that keeps up
    website, signup = rabbit.line(), rabbit.line("signup")
    sent: list[str] = []
    seen: set[str] = set()
    enough, finished = threading.Event(), threading.Event()

    def publish() -> None:
        while not enough.is_set():
            batch = [letter(len(sent) + number) for number in range(20)]
            publish_until_confirmed(website, batch)
            sent.extend(bodies(batch))

    def consume() -> None:
        while not finished.is_set():
            batch = signup.receive(100, wait=0.2, linger=0.003)
            seen.update(bodies(batch))
            signup.acknowledge(batch)

    publisher, consumer = threading.Thread(target=publish), threading.Thread(target=consume)
    publisher.start()
    consumer.start()
    # When the broker cuts every connection in the middle of it
    wait_until(lambda: len(seen) > 100, "the messages flow", SOON)
    cut_all_connections(rabbitmq, rabbit)
    before = len(seen)
    wait_until(lambda: len(seen) > before + 100, "the messages flow again", RECOVERED)
    enough.set()
    # Then every future was answered, and every message arrived
    publisher.join(RECOVERED)
    assert not publisher.is_alive()
    wait_until(lambda: seen == set(sent), "every message has arrived", RECOVERED)
    finished.set()
    consumer.join(SOON)


def test_an_acknowledgement_of_before_the_cut_is_dropped(
    rabbitmq: RabbitMQ, rabbit: RabbitExchange
) -> None:
    # Given a message in hand while the connection is cut
    website, signup = rabbit.line(), rabbit.line("signup")
    website.publish([letter("in hand")]).result(SOON)
    before = collect(signup, 1, acknowledge=False)
    cut_all_connections(rabbitmq, rabbit)
    # When it is acknowledged under its old number, after it has come again under the same number
    again = collect(signup, 1, acknowledge=False)
    assert again[0].redelivered
    signup.acknowledge(before)
    # Then it still waits for its own acknowledgement
    signup.close()
    signup = rabbit.line("signup")
    assert bodies(collect(signup, 1)) == ["in hand"]


def test_a_service_subscribes_again_when_its_queue_was_deleted_and_made_anew(
    rabbit: RabbitExchange,
) -> None:
    # Given a service at work
    signup = rabbit.line("signup")
    # When its queue is deleted
    channel = open_channel(rabbit.url)
    channel.queue_delete("signup")
    wait_until(lambda: not signup.healthy(), "the service notices", SOON)
    # And made again
    apply(TOPOLOGY, rabbit.url)
    # Then it hears again, by itself
    wait_until(signup.healthy, "the service has subscribed again", RECOVERED)
    rabbit.line().publish([letter("after that")])
    assert bodies(collect(signup, 1)) == ["after that"]
    channel.connection.close()


def test_a_service_waits_for_a_queue_that_is_not_there_yet(rabbit: RabbitExchange) -> None:
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
def plain(vhost: str) -> Iterator[RabbitExchange]:
    """A broker with one queue, without dead letters.

    RabbitMQ 3.10 stumbles when a queue that has a place for its dead letters is deleted, with its
    virtual host, soon after a restart; the tests that come next would feel it.
    """
    made = RabbitExchange(vhost, Topology(()))
    channel = open_channel(vhost)
    channel.queue_declare("signup", durable=True, arguments={"x-queue-type": "quorum"})
    channel.queue_bind("signup", EXCHANGE, SUBMITTED)
    channel.connection.close()
    yield made
    made.close()


def test_a_service_outlives_the_death_of_its_broker(
    rabbitmq: RabbitMQ, plain: RabbitExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a service, and a message that the broker has confirmed
    monkeypatch.setattr(publishing, "PATIENCE", 0.3)
    monkeypatch.setattr(line, "LONGEST_PAUSE", 0.5)
    website, signup = plain.line(), plain.line("signup")
    assert website.publish([letter("safe")]).result(SOON) == [Receipt.CONFIRMED]
    collect(signup, 1, acknowledge=False)
    # When the broker dies, not so soon after the queues were made that it forgets them
    rabbitmq.ctl("eval", "[dets:sync(Table) || Table <- dets:all()].")
    rabbitmq.kill()
    try:
        # Then whoever publishes is told so in bounded time, and waiting is no error
        wait_until(lambda: not website.healthy(), "the line notices", SOON)
        assert website.publish([letter("too early")]).result(SOON) == [Receipt.UNKNOWN]
        assert signup.receive(10, wait=0.05, linger=0) == []
    finally:
        rabbitmq.start()
    # And when it is back, all goes on, and what was not acknowledged comes again
    wait_until(lambda: website.healthy() and signup.healthy(), "both lines are up", RECOVERED)
    publish_until_confirmed(website, [letter("afterwards")])
    again = collect(signup, 2)
    assert bodies(again) == ["safe", "afterwards"]
    assert again[0].redelivered


def test_a_service_that_gets_no_answer_from_its_queue_tries_again(
    rabbitmq: RabbitMQ, rabbit: RabbitExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a queue that answers nothing, although its broker is alive
    monkeypatch.setattr(line, "SETTLING", 0.5)
    queue = f"'{vhost_of(rabbit)}_signup'"
    rabbitmq.ctl("eval", f"sys:suspend({queue}).")
    signup = RabbitBus(rabbit.url, queue="signup", name="signup")
    # When a service subscribes to it
    with capture_logs() as logs:
        signup.open()
        wait_until(lambda: events(logs).count("broker_does_not_answer") >= 2, "it gives up", SOON)
    assert not signup.healthy()
    # Then it is heard as soon as the queue answers again
    rabbitmq.ctl("eval", f"sys:resume({queue}).")
    wait_until(signup.healthy, "it has subscribed", RECOVERED)
    rabbit.line().publish([letter("after that")])
    assert bodies(collect(signup, 1)) == ["after that"]
    signup.close()


def test_a_line_that_is_left_without_a_confirm_is_given_up(
    rabbitmq: RabbitMQ, rabbit: RabbitExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a publisher whose queue answers nothing, although its broker is alive
    monkeypatch.setattr(publishing, "CONFIRM_TIMEOUT", 0.5)
    website = rabbit.line()
    queue = f"'{vhost_of(rabbit)}_signup'"
    rabbitmq.ctl("eval", f"sys:suspend({queue}).")
    # When the confirm of a message does not come
    with capture_logs() as logs:
        assert website.publish([letter("lost?")]).result(SOON) == [Receipt.UNKNOWN]
        # Then the publisher is told so, and has another line soon
        wait_until(lambda: "broker_line_up" in events(logs), "there is another line", SOON)
    assert "broker_connection_lost" in events(logs)
    # And that one confirms as soon as the queue answers again
    rabbitmq.ctl("eval", f"sys:resume({queue}).")
    publish_until_confirmed(website, [letter("after that")])


def test_a_line_that_goes_on_refusing_is_replaced(
    rabbit: RabbitExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a publisher whose channel refuses what is for one of two queues
    monkeypatch.setattr(publishing, "REFUSING", 0.0)
    full, website = with_room_for_one(rabbit), rabbit.line()
    assert website.publish([letter()]).result(SOON) == [Receipt.CONFIRMED]
    with capture_logs() as logs:
        # When it publishes for both of them
        sent = [letter(type=kind) for kind in (ACCEPTED, SUBMITTED, ACCEPTED)]
        receipts = website.publish(sent).result(SOON)
        # Then each message has its answer,
        assert receipts == [Receipt.CONFIRMED, Receipt.REFUSED, Receipt.CONFIRMED]
        # and whatever comes next goes by a new line, for the old one might refuse for ever.
        assert website.publish([letter(type=ACCEPTED)]).result(SOON) == [Receipt.CONFIRMED]
    assert [one for one in events(logs) if one in ("publishing_refused", "broker_line_up")] == [
        "publishing_refused",
        "broker_line_up",
    ]
    # Once there is room, all is taken.
    full.queue_purge("signup")
    publish_until_confirmed(website, [letter()])
    full.connection.close()


def test_a_broker_short_of_memory_still_takes_acknowledgements(
    rabbitmq: RabbitMQ, rabbit: RabbitExchange
) -> None:
    # Given a service that may have one message in hand, and two messages for it
    website, signup = rabbit.line(), rabbit.line("signup", prefetch=1)
    website.publish(letters(2)).result(SOON)
    first = collect(signup, 1, acknowledge=False)
    # When the broker raises its memory alarm, and stops reading from who publishes
    rabbitmq.ctl("set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        with capture_logs() as logs:
            said = signup.publish([letter("I publish too", type="signup.accepted.v1")])
            wait_until(lambda: "broker_blocks_publishers" in events(logs), "it is blocked", SOON)
        # Then the service can acknowledge all the same, and so gets the next message
        signup.acknowledge(first)
        assert bodies(collect(signup, 1)) == ["1"]
        assert not said.done()
    finally:
        rabbitmq.ctl("set_vm_memory_high_watermark", "0.4")
    # And what it published is taken when the alarm is over
    assert said.result(RECOVERED) == [Receipt.CONFIRMED]


def test_a_fault_in_the_thread_of_the_connections_is_survived(rabbit: RabbitExchange) -> None:
    # Given a service with a message in hand
    website, signup = rabbit.line(), rabbit.line("signup")
    website.publish([letter("in hand")]).result(SOON)
    collect(signup, 1, acknowledge=False)

    def fault() -> None:
        raise RuntimeError("a fault that nobody foresaw")

    # When something goes wrong on the thread that serves its connections
    with capture_logs() as logs:
        signup._ioloop.add_callback_threadsafe(fault)  # There is no way to cause it from outside.
        wait_until(lambda: "broker_thread_stumbled" in events(logs), "the fault is told", SOON)
        # Then the line starts over, and the message comes again
        again = collect(signup, 1)
    assert bodies(again) == ["in hand"]
    wait_until(signup.healthy, "the line is up", RECOVERED)
    answer = signup.publish([letter("still here", type="signup.accepted.v1")])
    assert answer.result(RECOVERED) == [Receipt.CONFIRMED]
