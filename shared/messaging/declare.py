"""Applies the topology to a running broker, as its administrator."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pika  # noqa: TID251 - the topology code may speak AMQP.
from pika.exceptions import (  # noqa: TID251 - the topology code may speak AMQP.
    AMQPConnectionError,
    AMQPError,
    ChannelClosedByBroker,
)

from shared.messaging.bus import EXCHANGE, BusDown
from shared.messaging.topology import Topology


class TopologyConflict(Exception):
    """A queue or exchange exists with other properties; RabbitMQ does not change them in place."""


def apply(topology: Topology, url: str) -> None:
    """Declare the exchange, every queue and every binding; to repeat it changes nothing.

    Bindings that the topology no longer has are left alone: only a person knows whether
    something is still on its way by them. Users and permissions come with `definitions`.

    Raises:
        BusDown: the broker cannot be reached, or refused the user.
        TopologyConflict: something exists that is declared otherwise.
    """
    with _channel(url) as channel:
        channel.exchange_declare(EXCHANGE, "topic", durable=True)
        for name, arguments in topology.queues():
            channel.queue_declare(name, durable=True, arguments=arguments)
        for queue, event_type in topology.bindings():
            channel.queue_bind(queue, EXCHANGE, event_type)


def missing(topology: Topology, url: str) -> list[str]:
    """The exchange and queues of the topology that the broker does not have.

    Raises:
        BusDown: the broker cannot be reached, or refused the user.
    """
    names = [name for name, _ in topology.queues()]
    return [name for name in (EXCHANGE, *names) if not _exists(url, name)]


def _exists(url: str, name: str) -> bool:
    try:
        with _channel(url) as channel:
            if name == EXCHANGE:
                channel.exchange_declare(name, passive=True)
            else:
                channel.queue_declare(name, passive=True)
    except TopologyConflict:
        return False
    return True


@contextlib.contextmanager
def _channel(url: str) -> Iterator[Any]:
    """A channel to the first address of a cluster that answers."""
    addresses = [pika.URLParameters(one.strip()) for one in url.split(",")]
    try:
        connection = pika.BlockingConnection(addresses)
    except AMQPConnectionError as error:
        raise BusDown(f"the broker cannot be reached: {error!r}"[:300]) from error
    try:
        yield connection.channel()
    except ChannelClosedByBroker as error:
        raise TopologyConflict(error.reply_text) from error
    except AMQPError as error:
        raise BusDown(f"the broker hung up: {error!r}"[:300]) from error
    finally:
        if connection.is_open:
            connection.close()
