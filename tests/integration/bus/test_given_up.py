"""What no consumer survived, on a real RabbitMQ: it comes to the service as given up."""

from typing import Any
from uuid import UUID

import pika  # noqa: TID251  A foreign client, to try what no service does.
import pytest

from shared.messaging.bus import Incoming
from shared.messaging.topology import DELIVERY_LIMIT
from tests.integration.bus.exchanges import (
    ACCEPTED,
    RabbitExchange,
    bodies,
    collect,
    letter,
    letters,
)
from tests.servers.premises import wait_until

QUEUE, DEAD = "registration", "registration.dead"


@pytest.fixture
def channel(rabbit: RabbitExchange) -> Any:
    connection = pika.BlockingConnection(pika.URLParameters(rabbit.url))
    yield connection.channel()
    if connection.is_open:
        connection.close()


def number_in(channel: Any, queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).method.message_count)


def give_up(channel: Any, times: int = 1) -> None:
    """Reject what is in the queue for good."""
    for _ in range(times):
        method = None
        while method is None:
            method, _, _ = channel.basic_get(QUEUE)
        channel.basic_reject(method.delivery_tag, requeue=False)
    wait_until(lambda: number_in(channel, DEAD) >= times, "the broker has given it up", 20)


def test_a_message_that_no_consumer_survives_comes_to_its_service_with_the_reason(
    rabbit: RabbitExchange, channel: Any
) -> None:
    # Given a message that was delivered until the broker had enough of it,
    sent = letter("poison", type=ACCEPTED, headers={"traceparent": "00-11-22-01"})
    rabbit.line().publish([sent]).result(10)
    for _ in range(DELIVERY_LIMIT + 1):
        method = None
        while method is None:
            method, _, _ = channel.basic_get(QUEUE)
        channel.basic_reject(method.delivery_tag, requeue=True)
    wait_until(lambda: number_in(channel, DEAD) == 1, "the broker has given it up", 20)
    # When its service consumes,
    line = rabbit.line(QUEUE, dead=DEAD)
    (got,) = collect(line, 1)
    # Then it gets the message as it was sent, and why it was given up; no trace of the broker's
    # own headers is left, which would make it drop the message were it sent again.
    assert (got.body, got.message_id) == (b"poison", str(UUID(sent.id)))
    assert got.routing_key == ACCEPTED
    assert dict(got.headers) == {"traceparent": "00-11-22-01"}
    assert "no consumer survived" in got.given_up
    # Acknowledged, it is gone.
    wait_until(lambda: number_in(channel, DEAD) == 0, "it is acknowledged", 10)
    line.close()
    assert number_in(channel, DEAD) == 0


def test_what_was_not_acknowledged_is_still_there(rabbit: RabbitExchange, channel: Any) -> None:
    # Given a message that was given up,
    rabbit.line().publish([letter("kept", type=ACCEPTED)]).result(10)
    give_up(channel)
    # When its service takes it and ends before it has said that it is kept, several times,
    for _ in range(3):
        line = rabbit.line(QUEUE, dead=DEAD)
        (got,) = collect(line, 1, acknowledge=False)
        line.close()
        # Then it comes again.
        assert (got.body, bool(got.given_up)) == (b"kept", True)
        wait_until(lambda: number_in(channel, DEAD) == 1, "it is back in its queue", 10)


def test_the_messages_of_the_day_come_along_with_it(rabbit: RabbitExchange, channel: Any) -> None:
    # Given more messages that were given up than are in hand at once, and others behind them,
    rabbit.line().publish(letters(30, type=ACCEPTED)).result(10)
    give_up(channel, 30)
    rabbit.line().publish([letter(f"good {n}", type=ACCEPTED) for n in range(300)]).result(10)
    # When the service consumes, Then all come, each as what it is.
    got = collect(rabbit.line(QUEUE, dead=DEAD), 330)
    assert len([one for one in got if one.given_up]) == 30
    assert sorted(bodies([one for one in got if not one.given_up])) == sorted(
        f"good {n}" for n in range(300)
    )


def test_the_messages_of_the_day_go_on_without_the_queue_of_the_dead(
    rabbit: RabbitExchange, channel: Any
) -> None:
    # Given that somebody deletes the queue for what was given up while the service consumes,
    line = rabbit.line(QUEUE, dead=DEAD)
    channel.queue_delete(DEAD)
    # When messages come, Then the service gets them and is healthy;
    for number in range(3):
        rabbit.line().publish([letter(number, type=ACCEPTED)]).result(10)
        assert bodies(collect(line, 1)) == [str(number)]
    assert line.healthy()
    # and so does one that starts without that queue.
    another = rabbit.line(QUEUE, dead="there.is.none")
    line.close()
    rabbit.line().publish([letter("more", type=ACCEPTED)]).result(10)
    assert bodies(collect(another, 1)) == ["more"]


def test_an_idle_service_is_woken_by_it_at_once(rabbit: RabbitExchange, channel: Any) -> None:
    # Given a service that waits, for as long as it takes,
    line = rabbit.line(QUEUE, dead=DEAD)
    # When the broker gives something up behind its back,
    channel.queue_purge(QUEUE)
    properties = pika.BasicProperties(headers={"x-death": "not as the broker writes it"})
    channel.basic_publish("", DEAD, b"odd", properties)
    # Then one call that waits gets it, however odd its headers.
    (got,) = line.receive(10, wait=20, linger=0)
    assert (got.body, got.routing_key) == (b"odd", DEAD)
    assert isinstance(got, Incoming)
    assert got.given_up
    line.acknowledge([got])
