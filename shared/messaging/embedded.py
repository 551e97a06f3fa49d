"""The bus for one process: kombu's memory transport, with receipts that can be relied upon.

kombu's memory transport forgets everything in a crash and does not say whether anybody got a
message. So here a message counts as confirmed only when every subscriber in the process has
acknowledged it; until then its row stays in the publisher's outbox, to be published again.
"""

import threading
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import kombu  # noqa: TID251 - the one place where the memory transport is spoken to.

from shared.crash_points import reached
from shared.messaging.bus import EXCHANGE, IN_HAND, MAX_BODY_BYTES, Incoming, Outgoing, Receipt
from shared.messaging.publications import Publication, Publications
from shared.messaging.receipts import Receipts
from shared.messaging.reception import Reception
from shared.messaging.topology import Topology

KOMBU: Any = kombu
"""Its annotations are partial, and so of no use to a strict type checker."""


@dataclass(slots=True, eq=False)
class _Held:
    """A message in a subscriber's hands: the `receipt` of `Incoming`."""

    message: Any
    publication: Publication


class EmbeddedBroker:
    """The queues of one process. Every service has its own `bus`; two brokers share nothing.

    A queue in the topology for which no bus was ever made (an outside system that is not here)
    counts as served, and nothing piles up for it. One whose bus was closed is missed: what is
    published to it is `UNKNOWN`, and stays with its publisher.
    """

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self._lock = threading.Lock()
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
        self.publications = Publications()
        self._attached: defaultdict[str, list[EmbeddedBus]] = defaultdict(list)
        self._queues = {listener.name for listener in topology.listeners}

    def bus(self, queue: str | None) -> "EmbeddedBus":
        """A line for one service; with a queue, it counts as a subscriber from now on."""
        with self._lock:
            bus = EmbeddedBus(self, queue, self._lock, self._connection.channel())
            if queue is not None:
                if not self._attached[queue]:
                    self._declare(queue, bus.channel)
                self._attached[queue].append(bus)
        return bus

    def address(self, queue: str) -> str:
        """The name by which kombu knows a queue of this broker."""
        return self._prefix + queue

    def _declare(self, queue: str, channel: Any) -> None:
        channel.queue_declare(self.address(queue))
        for name, event_type in self.topology.bindings():
            if name == queue:
                channel.queue_bind(self.address(queue), self._exchange.name, event_type)

    # Publishing.

    def publish(
        self, messages: Sequence[Outgoing], publisher: "EmbeddedBus"
    ) -> "Future[list[Receipt]]":
        """Route messages through kombu; see `Bus.publish`."""
        receipts = Receipts(len(messages))
        reached: set[str] = set()
        with self._lock:
            for index, message in enumerate(messages):
                reached |= self._send(message, publisher, receipts, index)
            for queue in reached:
                self._wake(queue)
            complete = receipts.complete
        if complete:
            receipts.hand_over()
        return receipts.future

    def _send(
        self, message: Outgoing, publisher: "EmbeddedBus", receipts: Receipts, index: int
    ) -> set[str]:
        """Put one message in every queue that has somebody to read it; return these queues."""
        if len(message.body) > MAX_BODY_BYTES:
            receipts.note(index, Receipt.REFUSED)
            return set()
        bound = self._bound(message)
        known = [queue for queue in bound if queue in self._attached]
        awaited = {queue for queue in known if self._attached[queue]}
        if not bound:
            receipts.note(index, Receipt.UNROUTABLE)
        elif len(awaited) < len(known):
            receipts.note(index, Receipt.UNKNOWN)
        elif not awaited:
            receipts.note(index, Receipt.CONFIRMED)
        if awaited:
            publication = self.publications.add(
                publisher, receipts, index, repeated=message.repeated, to=awaited
            )
            reached("publish.before")
            self._put(message, publisher.user, publication.number)
            reached("publish.after")
        return awaited

    def _bound(self, message: Outgoing) -> tuple[str, ...]:
        if message.queue is None:
            return self.topology.subscribers(message.type)
        return (message.queue,) if message.queue in self._queues else ()

    def _put(self, message: Outgoing, user: str | None, number: str) -> None:
        straight = message.queue is not None
        self._producer.publish(
            message.body,
            exchange="" if straight else self._exchange.name,
            routing_key=self.address(message.queue or "") if straight else message.type,
            content_type=message.content_type,
            content_encoding="binary",
            headers=dict(message.headers),
            message_id=message.id,
            type=message.type,
            user_id=user,
            correlation_id=number,
        )

    def _wake(self, queue: str) -> None:
        for bus in self._attached[queue]:
            bus.reception.stir(IN_HAND)

    # For its buses, with the lock held.

    def take(self, queue: str, channel: Any) -> "tuple[Any, Publication] | None":
        """The next message in a queue, as kombu has it, and the publication that it belongs to."""
        message = channel.basic_get(self.address(queue))
        if message is None:
            return None
        return message, self.publications.find(message.properties["correlation_id"])

    def detach(self, bus: "EmbeddedBus", queue: str) -> list[Receipts]:
        """A subscriber leaves; when it was the last, what waits in its queue is given up."""
        self._attached[queue].remove(bus)
        complete: list[Receipts] = []
        if self._attached[queue]:
            self._wake(queue)
            return complete
        while taken := self.take(queue, bus.channel):
            message, publication = taken
            message.ack()
            complete += self.publications.lost(publication, queue)
        # kombu removes a queue by its bindings, but leaves these in the exchange's own table.
        bus.channel.queue_delete(self.address(queue))
        for name, event_type in self.topology.bindings():
            if name == queue:
                bus.channel.queue_unbind(self.address(queue), self._exchange.name, event_type)
        return complete


class EmbeddedBus:
    """One service's line to the `EmbeddedBroker`; see `Bus`."""

    def __init__(
        self, broker: EmbeddedBroker, queue: str | None, lock: threading.Lock, channel: Any
    ) -> None:
        self._broker = broker
        self._queue = queue
        self.channel = channel
        self.reception = Reception(lock)
        self._held: set[_Held] = set()
        self._opened = False

    @property
    def user(self) -> str | None:
        """Who publishes here; a service has the name of its queue."""
        return self._queue

    def open(self) -> None:
        """Begin to receive."""
        with self.reception.lock:
            self._opened = True
            self.reception.stir(IN_HAND)

    def publish(self, messages: Sequence[Outgoing]) -> "Future[list[Receipt]]":
        """Hand messages over; answered when every subscriber has acknowledged them all."""
        if self.reception.closed:
            return Receipts.all(Receipt.UNKNOWN, len(messages))
        return self._broker.publish(messages, self)

    def receive(self, limit: int, wait: float, linger: float) -> list[Incoming]:
        """Return what is there now, at most `limit` messages."""
        return self.reception.gather(self._take, limit, wait, linger)

    def _take(self, limit: int) -> list[Incoming]:
        """Take what is there from kombu, as far as the hands are free."""
        taken: list[Incoming] = []
        while self._opened and len(taken) < limit and len(self._held) < IN_HAND:
            found = self._broker.take(self._queue, self.channel) if self._queue else None
            if found is None:
                break
            held = _Held(*found)
            self._held.add(held)
            taken.append(self._incoming(held))
        return taken

    def _incoming(self, held: _Held) -> Incoming:
        message = held.message
        straight = not message.delivery_info["exchange"]
        return Incoming(
            body=message.body,
            routing_key=str(self._queue) if straight else message.delivery_info["routing_key"],
            content_type=message.content_type,
            headers=dict(message.headers),
            message_id=message.properties["message_id"],
            type=message.properties["type"],
            user_id=message.properties["user_id"],
            redelivered=held.publication.repeated,
            receipt=held,
        )

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        """These are dealt with: their publishers may hear so."""
        complete: list[Receipts] = []
        with self.reception.lock:
            for one in messages:
                held = one.receipt
                if isinstance(held, _Held) and held in self._held:
                    self._held.remove(held)
                    held.message.ack()
                    complete += self._broker.publications.acknowledged(
                        held.publication, str(self._queue)
                    )
            self.reception.stir(IN_HAND)
        for receipts in complete:
            receipts.hand_over()

    def interrupt(self) -> None:
        """Make a waiting `receive`, or else the next one, return at once."""
        self.reception.interrupt()

    def healthy(self) -> bool:
        """Whether it was opened and is not closed."""
        return self._opened and not self.reception.closed

    def silent_for(self) -> float:
        """Nothing can come between the service and a broker in its own process."""
        return 0.0

    def close(self) -> None:
        """Stop; what was not acknowledged stays with its publisher."""
        complete: list[Receipts] = []
        with self.reception.lock:
            if self.reception.closed:
                return
            self.reception.close()
            for held in self._held:
                complete += self._broker.publications.lost(held.publication, str(self._queue))
            self._held.clear()
            if self._queue is not None:
                complete += self._broker.detach(self, self._queue)
            complete += self._broker.publications.abandoned(self)
            self.channel.close()
        for receipts in complete:
            receipts.hand_over()
