"""How a bus connects to a real broker, stays connected and hangs up."""

import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

import pytest
from structlog.testing import capture_logs

from shared.messaging.bus import PublishResult
from shared.messaging.rabbitmq import RabbitBus, bus
from tests.integration.bus.buses import (
    SOON,
    SUBMITTED,
    RabbitBuses,
    collect,
    message,
    messages,
)
from tests.integration.bus.foreign import RECOVERED, events, vhost_of, with_room_for_one
from tests.servers.premises import free_ports, wait_until
from tests.servers.rabbitmq import RabbitMQ


def test_heartbeats_are_served_while_the_service_is_busy(rabbit: RabbitBuses) -> None:
    # Given a broker that gives up a connection after two silent seconds
    signup = rabbit.open("signup", heartbeat=1)
    rabbit.open().publish([message("hard work")])
    work = collect(signup, 1, acknowledge=False)
    # When the service works for longer than that without a pause
    with capture_logs() as logs:
        done = time.monotonic() + 3.5
        while time.monotonic() < done:
            pass
        signup.acknowledge(work)
        assert signup.receive(10, wait=0.1, linger=0) == []
    # Then its connection was never lost, and the work is not handed out again
    assert signup.healthy()
    assert "broker_connection_lost" not in events(logs)


def test_a_wrong_password_is_reported_without_the_password(rabbit: RabbitBuses) -> None:
    # Given a service with a wrong password
    parts = urlsplit(rabbit.url)
    wrong = urlunsplit(
        parts._replace(netloc=f"{parts.username}:wr0ng-secret@{parts.hostname}:{parts.port}")
    )
    locked_out = RabbitBus(wrong, queue="signup", name="signup")
    # When it tries to connect
    with capture_logs() as logs:
        locked_out.open()
        wait_until(lambda: "broker_unreachable" in events(logs), "it was turned away", SOON)
    # Then it is not healthy, says why, and gives nothing away
    assert not locked_out.healthy()
    assert "it refuses the user or the password" in locked_out.trouble()
    assert "ACCESS_REFUSED" in str(logs)
    assert "wr0ng-secret" not in str(logs)
    locked_out.close()


def test_a_full_queue_refuses_and_the_publisher_hears_so(rabbit: RabbitBuses) -> None:
    # Given a queue with room for one message
    channel = with_room_for_one(rabbit)
    # When three are published
    results = rabbit.open().publish(messages(3)).result(SOON)
    # Then the others are refused
    assert results == [PublishResult.CONFIRMED, PublishResult.REFUSED, PublishResult.REFUSED]
    channel.connection.close()


def test_a_burst_that_nobody_hears_is_told_apart_message_by_message(
    rabbit: RabbitBuses,
) -> None:
    # When a thousand events go out of which every third is heard by nobody
    website = rabbit.open()
    kinds = [SUBMITTED if number % 3 else "nobody.hears.v1" for number in range(1000)]
    results = website.publish([message(type=kind) for kind in kinds]).result(SOON)
    # Then exactly these are reported
    assert [result is PublishResult.UNROUTABLE for result in results] == [
        kind != SUBMITTED for kind in kinds
    ]


def test_a_bus_finds_the_part_of_a_cluster_that_answers(rabbit: RabbitBuses) -> None:
    # Given a cluster of which two of three nodes are down
    dead = [f"amqp://127.0.0.1:{port}/" for port in free_ports(2)]
    signup = RabbitBus(", ".join([dead[0], rabbit.url, dead[1]]), queue="signup", name="signup")
    # When the bus is opened
    signup.open()
    # Then it comes up at the node that is left
    wait_until(signup.healthy, "the bus is connected", RECOVERED)
    signup.close()


def test_closing_ends_in_bounded_time_when_the_broker_never_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given a bus for a broker that is not there, and something to publish
    monkeypatch.setattr(bus, "PUBLISH_DRAIN_TIMEOUT_SECONDS", 0.5)
    (port,) = free_ports(1)
    signup = RabbitBus(f"amqp://127.0.0.1:{port}/", queue="signup", name="signup")
    signup.open()
    future = signup.publish([message()])
    # When it is closed
    began = time.monotonic()
    signup.close()
    # Then that takes no longer than what is given to finishing, and the publisher has its answer
    assert time.monotonic() - began < 3.0
    assert future.result(0) == [PublishResult.UNKNOWN]


def test_a_bus_that_is_closed_while_it_connects_leaves_no_connection(
    rabbitmq: RabbitMQ, rabbit: RabbitBuses
) -> None:
    # Given buses that are closed at once, or just when they connect
    for moment in (0.0, 0.005, 0.01, 0.02):
        signup = RabbitBus(rabbit.url, queue="signup", name="signup")
        signup.open()
        threading.Event().wait(moment)
        began = time.monotonic()
        # When each is closed
        signup.close()
        # Then that is done in an orderly way, without waiting for a time to run out
        assert time.monotonic() - began < 1.5
    # And the broker knows of no connection any more
    listing = rabbitmq.ctl("list_connections", "vhost", "client_properties")
    assert vhost_of(rabbit) not in listing


def test_a_fault_while_hanging_up_leaves_no_connection(
    rabbitmq: RabbitMQ, rabbit: RabbitBuses
) -> None:
    # Given a service that hangs up
    signup = rabbit.open("signup")

    def fault(when_drained: Callable[[], None]) -> None:
        raise RuntimeError("a fault that nobody foresaw")

    # When something goes wrong just then
    signup._publisher.drain = fault  # type: ignore[method-assign]
    began = time.monotonic()
    signup.close()
    # Then it ends all the same, soon, and the broker keeps no connection for it
    assert time.monotonic() - began < 10
    listing = rabbitmq.ctl("list_connections", "vhost", "client_properties")
    assert vhost_of(rabbit) not in listing


def test_a_connection_with_nothing_to_do_is_not_taken_for_dead(rabbit: RabbitBuses) -> None:
    # Given a connection on which only heartbeats come
    with capture_logs() as logs:
        signup = rabbit.open("signup", heartbeat=2)
        # When it has been idle for longer than the heartbeat and the five seconds after which
        # pika looks whether anything came
        begun = time.monotonic()
        wait_until(lambda: time.monotonic() - begun > 8, "an idle time has passed", 20)
        # Then it is still the same connection
        assert signup.healthy()
    assert "broker_connection_lost" not in events(logs)
