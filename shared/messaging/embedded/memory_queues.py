"""Queues in kombu's memory transport, and what one must know of it to use them."""

from typing import Any
from uuid import uuid4

from shared.base.optional import without
from shared.messaging.bus import EXCHANGE, Outgoing
from shared.messaging.topology import Topology

# The one place where the memory transport is spoken to. No message of ours is written in YAML.
with without("yaml"):
    import kombu  # noqa: TID251
    import kombu.serialization  # noqa: TID251

KOMBU: Any = kombu
"""Its annotations are partial, and so of no use to a strict type checker."""


class MemoryQueues:
    """The exchanges of a topology and its queues, each made once somebody uses it.

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
        self._channel = self._connection.channel()
        self._exchanges: set[str] = set()
        self._queues: set[str] = set()
        self._declare_exchange(EXCHANGE)
        self._producer = KOMBU.Producer(self._channel, auto_declare=False)

    def channel(self) -> Any:
        """A channel to read a queue by."""
        return self._connection.channel()

    def _address(self, name: str) -> str:
        """The name by which kombu knows a queue or an exchange."""
        return self._prefix + name

    def declare(self, queue: str, channel: Any) -> None:
        """Make a queue, bound to what it hears."""
        channel.queue_declare(self._address(queue))
        self._queues.add(queue)
        for exchange in self._exchanges:
            self._bind(queue, exchange, channel)

    def _declare_exchange(self, exchange: str) -> None:
        """Make an exchange, bound to the queues of those who hear what is said there."""
        address = self._address(exchange)
        KOMBU.Exchange(address, type="topic", channel=self._channel).declare()
        self._exchanges.add(exchange)
        for queue in self._queues:
            self._bind(queue, exchange, self._channel)

    def _bind(self, queue: str, exchange: str, channel: Any) -> None:
        for event_type in self._topology.heard(queue, exchange):
            channel.queue_bind(self._address(queue), self._address(exchange), event_type)

    def delete(self, queue: str, channel: Any) -> None:
        """Remove a queue and its bindings."""
        # kombu removes a queue by its bindings, but leaves these in the exchange's own table.
        address = self._address(queue)
        channel.queue_delete(address)
        self._queues.discard(queue)
        for exchange in self._exchanges:
            for event_type in self._topology.heard(queue, exchange):
                channel.queue_unbind(address, self._address(exchange), event_type)

    def put(self, message: Outgoing, exchange: str, user: str | None, number: str) -> None:
        """Route a message to the queues that are bound, or straight to the one that it names.

        `number` comes back as the correlation id of what `get` returns.
        """
        direct = message.queue is not None
        if not direct and exchange not in self._exchanges:
            self._declare_exchange(exchange)
        self._producer.publish(
            message.body,
            exchange="" if direct else self._address(exchange),
            routing_key=self._address(message.queue or "") if direct else message.type,
            content_type=message.content_type,
            content_encoding="binary",
            headers=dict(message.headers),
            message_id=message.id,
            type=message.type,
            user_id=user,
            correlation_id=number,
        )

    def published_to(self, message: Any) -> tuple[str, str]:
        """The exchange and the routing key of a message; both empty for one that came straight."""
        exchange = message.delivery_info["exchange"].removeprefix(self._prefix)
        return exchange, message.delivery_info["routing_key"] if exchange else ""

    def get(self, queue: str, channel: Any) -> Any:
        """The next message in a queue, as kombu has it; None when there is none."""
        return channel.basic_get(self._address(queue))
