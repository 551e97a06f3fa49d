"""Applies the topology to a running broker, as its administrator."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pika  # noqa: TID251 - the topology code may speak AMQP.
from pika.exceptions import (  # noqa: TID251 - the topology code may speak AMQP.
    AMQPConnectionError,
    AMQPError,
    ChannelClosedByBroker,
    ConnectionBlockedTimeout,
)

from shared.base.addresses import split_addresses
from shared.base.errors import StappenplanError
from shared.messaging.bus import NOBODY, BusDown
from shared.messaging.rabbitmq.address import broker_parameters
from shared.messaging.rabbitmq.failures import explain
from shared.messaging.topology.topology import Topology

NOT_FOUND = 404

ANSWER_SECONDS = 10.0
"""How long a broker may take to let somebody in."""

BLOCKED_SECONDS = 1.0
"""How long it may hold back what is published before that counts as an alarm."""


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


def missing(topology: Topology, url: str) -> list[str]:
    """The exchanges and queues that the broker does not have.

    AMQP cannot ask for bindings; `apply` makes those that are missing. What the user may not
    even ask for (RabbitMQ 4.3 wants the right to configure for that) is taken to be there.

    Raises:
        BusDown: the broker cannot be reached, or refused the user.
    """
    exchanges = topology.exchanges()
    names = []
    with _connection(url) as connection:
        for name in (*exchanges, *(queue for queue, _ in topology.queues())):
            try:
                _declare_passively(connection.channel(), name, exchange=name in exchanges)
            except ChannelClosedByBroker as refusal:
                if refusal.reply_code == NOT_FOUND:
                    names.append(name)
    return names


def takes_nothing(url: str) -> bool:
    """Whether the broker holds back what is published: a resource alarm.

    It tells nobody of one who does not publish. So something is, to nobody: to a name that no
    queue has. An alarm holds that back, too, before anybody looks whether the user may.

    Raises:
        BusDown: the broker cannot be reached, or refused the user.
    """
    with _connection(url) as connection:
        try:
            channel = connection.channel()
            channel.confirm_delivery()
            channel.basic_publish("", NOBODY, b"?")
        except ConnectionBlockedTimeout:
            return True
        except ChannelClosedByBroker:
            return False  # It looked, and refused: so it was not held back.
    return False


def depth(queue: str, url: str) -> int | None:
    """How many messages lie on a queue, but for those that somebody has in hand.

    None when it is not there, or the broker does not tell this user.
    """
    with contextlib.suppress(BusDown, ChannelClosedByBroker), _connection(url) as connection:
        declared = connection.channel().queue_declare(queue, passive=True)
        return int(declared.method.message_count)
    return None


def _declare_passively(channel: Any, name: str, *, exchange: bool) -> None:
    if exchange:
        channel.exchange_declare(name, passive=True)
    else:
        channel.queue_declare(name, passive=True)
    channel.close()


@contextlib.contextmanager
def _connection(url: str) -> Iterator[Any]:
    """A connection to the first address of a cluster that answers."""
    addresses = [broker_parameters(address) for address in split_addresses(url)]
    for address in addresses:
        address.socket_timeout = address.stack_timeout = ANSWER_SECONDS
        address.blocked_connection_timeout = BLOCKED_SECONDS
    try:
        connection = pika.BlockingConnection(addresses)
    except (AMQPError, OSError) as error:
        raise BusDown(f"the broker cannot be reached: {explain(error)}") from error
    try:
        yield connection
    except AMQPConnectionError as error:
        raise BusDown(f"the broker hung up: {explain(error)}") from error
    finally:
        if connection.is_open:
            connection.close()


@contextlib.contextmanager
def _translate_refusal() -> Iterator[None]:
    try:
        yield
    except ChannelClosedByBroker as error:
        raise TopologyConflict(error.reply_text) from error
