"""Queues in kombu's memory transport, and what one must know of it to use them."""

from typing import Any
from uuid import uuid4

import kombu  # noqa: TID251 - the one place where the memory transport is spoken to.

from shared.messaging.bus import EXCHANGE, Outgoing
from shared.messaging.topology import Topology

KOMBU: Any = kombu
"""Its annotations are partial, and so of no use to a strict type checker."""


class MemoryQueues:
    """The exchange of a topology and its queues, each made once somebody reads it.

    Not locked: its broker is.
    """

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        # kombu keeps its queues in the process's global state: a prefix keeps brokers apart.
        self._prefix = f"{uuid4().hex}."
        self._connection = KOMBU.Connection(
            # Base64 is for transports that store text.
            "memory://",
            transport_options={"body_encoding": None},
        )
        self._exchange = KOMBU.Exchange(
            self._prefix + EXCHANGE, type="topic", channel=self._connection.channel()
        )
        self._exchange.declare()
        self._producer = KOMBU.Producer(self._exchange.channel, auto_declare=False)

    def channel(self) -> Any:
        """A channel to read a queue by."""
        return self._connection.channel()

    def _address(self, queue: str) -> str:
        """The name by which kombu knows a queue."""
        return self._prefix + queue

    def declare(self, queue: str, channel: Any) -> None:
        """Make a queue, bound to what it hears."""
        channel.queue_declare(self._address(queue))
        for name, event_type in self._topology.bindings():
            if name == queue:
                channel.queue_bind(self._address(queue), self._exchange.name, event_type)

    def delete(self, queue: str, channel: Any) -> None:
        """Remove a queue and its bindings."""
        # kombu removes a queue by its bindings, but leaves these in the exchange's own table.
        channel.queue_delete(self._address(queue))
        for name, event_type in self._topology.bindings():
            if name == queue:
                channel.queue_unbind(self._address(queue), self._exchange.name, event_type)

    def put(self, message: Outgoing, user: str | None, number: str) -> None:
        """Route a message to the queues that are bound, or straight to the one that it names.

        `number` comes back as the correlation id of what `get` returns.
        """
        direct = message.queue is not None
        self._producer.publish(
            message.body,
            exchange="" if direct else self._exchange.name,
            routing_key=self._address(message.queue or "") if direct else message.type,
            content_type=message.content_type,
            content_encoding="binary",
            headers=dict(message.headers),
            message_id=message.id,
            type=message.type,
            user_id=user,
            correlation_id=number,
        )

    def get(self, queue: str, channel: Any) -> Any:
        """The next message in a queue, as kombu has it; None when there is none."""
        return channel.basic_get(self._address(queue))
