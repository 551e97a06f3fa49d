"""What RabbitMQ dead-lettered, on a real one: it comes to the service with the reason."""

from typing import Any
from uuid import UUID

import pika  # noqa: TID251  A foreign client, to try what no service does.
import pytest

from shared.messaging.bus import EXCHANGE, Incoming
from shared.messaging.topology.topology import DELIVERY_LIMIT
from tests.integration.bus.buses import (
    ACCEPTED,
    SUBMITTED,
    RabbitBuses,
    bodies,
    collect,
    message,
    messages,
)
from tests.servers.premises import wait_until

QUEUE, DEAD = "registration", "registration.dead"


@pytest.fixture
def channel(rabbit: RabbitBuses) -> Any:
    connection = pika.BlockingConnection(pika.URLParameters(rabbit.url))
    yield connection.channel()
    if connection.is_open:
        connection.close()


def number_in(channel: Any, queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).method.message_count)


def dead_letter(channel: Any, times: int = 1) -> None:
    """Reject what is in the queue for good."""
    for _ in range(times):
        method = None
        while method is None:
            method, _, _ = channel.basic_get(QUEUE)
        channel.basic_reject(method.delivery_tag, requeue=False)
    wait_until(lambda: number_in(channel, DEAD) >= times, "the broker has dead-lettered it", 20)


def test_a_message_that_was_delivered_too_often_comes_to_its_service_with_the_reason(
    rabbit: RabbitBuses, channel: Any
) -> None:
    # Given a message that was delivered until the broker had enough of it,
    sent = message("poison", type=ACCEPTED, headers={"traceparent": "00-11-22-01"})
    rabbit.open().publish([sent]).result(10)
    for _ in range(DELIVERY_LIMIT + 1):
        method = None
        while method is None:
            method, _, _ = channel.basic_get(QUEUE)
        channel.basic_reject(method.delivery_tag, requeue=True)
    wait_until(lambda: number_in(channel, DEAD) == 1, "the broker has dead-lettered it", 20)
    # When its service consumes,
    bus = rabbit.open(QUEUE, dead=DEAD)
    (incoming,) = collect(bus, 1)
    # Then it gets the message as it was sent, and why the broker dead-lettered it; no trace of
    # the broker's own headers is left, which would make it drop the message were it sent again.
    assert (incoming.body, incoming.message_id) == (b"poison", str(UUID(sent.id)))
    assert (incoming.exchange, incoming.routing_key) == (EXCHANGE, ACCEPTED)
    assert dict(incoming.headers) == {"traceparent": "00-11-22-01"}
    assert "never acknowledged" in incoming.dead_lettered
    # Acknowledged, it is gone.
    wait_until(lambda: number_in(channel, DEAD) == 0, "it is acknowledged", 10)
    bus.close()
    assert number_in(channel, DEAD) == 0


def test_what_was_not_acknowledged_is_still_there(rabbit: RabbitBuses, channel: Any) -> None:
    # Given a message that was dead-lettered,
    rabbit.open().publish([message("kept", type=ACCEPTED)]).result(10)
    dead_letter(channel)
    # When its service takes it and ends before it has said that it is kept, several times,
    for _ in range(3):
        bus = rabbit.open(QUEUE, dead=DEAD)
        (incoming,) = collect(bus, 1, acknowledge=False)
        bus.close()
        # Then it comes again.
        assert (incoming.body, bool(incoming.dead_lettered)) == (b"kept", True)
        wait_until(lambda: number_in(channel, DEAD) == 1, "it is back in its queue", 10)


def test_the_messages_of_the_day_come_along_with_it(rabbit: RabbitBuses, channel: Any) -> None:
    # Given more messages that were dead-lettered than are in hand at once, and others behind them,
    rabbit.open().publish(messages(30, type=ACCEPTED)).result(10)
    dead_letter(channel, 30)
    rabbit.open().publish([message(f"good {n}", type=ACCEPTED) for n in range(300)]).result(10)
    # When the service consumes, Then all come, each as what it is.
    incoming = collect(rabbit.open(QUEUE, dead=DEAD), 330)
    dead = [message for message in incoming if message.dead_lettered]
    assert len(dead) == 30
    good = [message for message in incoming if not message.dead_lettered]
    assert sorted(bodies(good)) == sorted(f"good {n}" for n in range(300))


def test_the_messages_of_the_day_go_on_without_the_queue_of_the_dead(
    rabbit: RabbitBuses, channel: Any
) -> None:
    # Given that somebody deletes the queue for dead letters while the service consumes,
    bus = rabbit.open(QUEUE, dead=DEAD)
    channel.queue_delete(DEAD)
    # When messages come, Then the service gets them and is healthy;
    for number in range(3):
        rabbit.open().publish([message(number, type=ACCEPTED)]).result(10)
        assert bodies(collect(bus, 1)) == [str(number)]
    assert bus.healthy()
    # and so does one that starts without that queue.
    another = rabbit.open(QUEUE, dead="there.is.none")
    bus.close()
    rabbit.open().publish([message("more", type=ACCEPTED)]).result(10)
    assert bodies(collect(another, 1)) == ["more"]


# One that counts from nothing, so that the broker counts on to 1, is refused before it can die.
@pytest.mark.parametrize(
    ("reason", "count"), [("rejected", 1), ("rejected", -1), ("expired", 1), ("expired", None)]
)
def test_a_header_that_its_publisher_forged_does_not_say_by_which_exchange_it_came(
    rabbit: RabbitBuses, channel: Any, reason: str, count: int | None
) -> None:
    # Given a website that says in the broker's own header that another one published its message,
    forged: dict[str, Any] = {
        "queue": "signup",
        "reason": reason,
        "exchange": "stappenplan.website.0077",
        "routing-keys": [SUBMITTED],
    }
    forged |= {} if count is None else {"count": count}
    properties = pika.BasicProperties(headers={"x-death": [forged]})
    channel.basic_publish("stappenplan.website.0042", SUBMITTED, b"forged", properties)
    # When the broker dead-letters it,
    method = None
    while method is None:
        method, _, _ = channel.basic_get("signup")
    channel.basic_reject(method.delivery_tag, requeue=False)
    # Then nobody takes it for that other one's.
    (incoming,) = collect(rabbit.open("signup", dead="signup.dead"), 1)
    assert incoming.dead_lettered
    assert incoming.exchange != "stappenplan.website.0077"


def test_an_idle_service_is_woken_by_it_at_once(rabbit: RabbitBuses, channel: Any) -> None:
    # Given a service that waits, for as long as it takes,
    bus = rabbit.open(QUEUE, dead=DEAD)
    # When the broker dead-letters something behind its back,
    channel.queue_purge(QUEUE)
    properties = pika.BasicProperties(headers={"x-death": "not as the broker writes it"})
    channel.basic_publish("", DEAD, b"odd", properties)
    # Then one call that waits gets it, however odd its headers.
    (incoming,) = bus.receive(10, wait=20, linger=0)
    assert (incoming.body, incoming.routing_key) == (b"odd", DEAD)
    assert isinstance(incoming, Incoming)
    assert incoming.dead_lettered
    bus.acknowledge([incoming])
