"""Applies the topology to a running broker, as its administrator."""

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import pika  # noqa: TID251 - the topology code may speak AMQP.
from pika.exceptions import (  # noqa: TID251 - the topology code may speak AMQP.
    AMQPConnectionError,
    ChannelClosedByBroker,
)

from shared.base.errors import StappenplanError
from shared.messaging.bus import BusDown
from shared.messaging.topology.topology import Topology

NOT_FOUND = 404


class TopologyConflict(StappenplanError):
    """A queue or exchange exists with other properties, or the user may not declare it.

    RabbitMQ does not change properties in place: the old one must be emptied and deleted first.
    """


def apply(topology: Topology, url: str) -> None:
    """Declare every exchange, queue and binding; to repeat it changes nothing.

    Bindings that must not stay are taken away (`Topology.retired_bindings`), once those in their
    place are there. All others that the topology no longer has are left alone: only a person knows
    whether something is still on its way by them. Users and permissions: `definitions`, or
    `management`.

    Raises:
        BusDown: the broker cannot be reached, or refused the user.
        TopologyConflict: something exists that is declared otherwise, or the user may not.
    """
    with _connection(url) as connection, _translate_refusal():
        channel = connection.channel()
        for exchange in topology.exchanges():
            channel.exchange_declare(exchange, "topic", durable=True)
        for queue, arguments in topology.queues():
            channel.queue_declare(queue, durable=True, arguments=arguments)
        for exchange, queue, event_type in topology.bindings():
            channel.queue_bind(queue, exchange, event_type)
        for exchange, queue, event_type in topology.retired_bindings():
            channel.queue_unbind(queue, exchange, event_type)


def missing(topology: Topology, url: str) -> list[str] | None:
    """The exchanges and queues that the broker does not have; None when it cannot be reached.

    AMQP cannot ask for bindings; `apply` makes those that are missing. What the user may not
    even ask for (RabbitMQ 4.3 wants the right to configure for that) is taken to be there.
    """
    exchanges = topology.exchanges()
    names = []
    try:
        with _connection(url) as connection:
            for name in (*exchanges, *(queue for queue, _ in topology.queues())):
                try:
                    _declare_passively(connection.channel(), name, exchange=name in exchanges)
                except ChannelClosedByBroker as refusal:
                    if refusal.reply_code == NOT_FOUND:
                        names.append(name)
    except BusDown:
        return None
    return names


def _declare_passively(channel: Any, name: str, *, exchange: bool) -> None:
    if exchange:
        channel.exchange_declare(name, passive=True)
    else:
        channel.queue_declare(name, passive=True)
    channel.close()


@contextlib.contextmanager
def _connection(url: str) -> Iterator[Any]:
    """A connection to the first address of a cluster that answers."""
    addresses = [pika.URLParameters(address.strip()) for address in url.split(",")]
    try:
        connection = pika.BlockingConnection(addresses)
    except (AMQPConnectionError, socket.gaierror) as error:
        raise BusDown(f"the broker cannot be reached: {error!r}"[:300]) from error
    try:
        yield connection
    except AMQPConnectionError as error:
        raise BusDown(f"the broker hung up: {error!r}"[:300]) from error
    finally:
        if connection.is_open:
            connection.close()


@contextlib.contextmanager
def _translate_refusal() -> Iterator[None]:
    try:
        yield
    except ChannelClosedByBroker as error:
        raise TopologyConflict(error.reply_text) from error
