"""The bus for one process: kombu's memory transport, with confirms that can be relied upon.

kombu's memory transport forgets everything in a crash and does not say whether anybody got a
message. So here a message counts as confirmed only when every subscriber in the process has
acknowledged it; until then its row stays in the publisher's outbox, to be published again.
"""

import threading
from collections import defaultdict, deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from shared.base.crash_points import reached
from shared.events.envelope import MAX_BODY_BYTES
from shared.messaging.batches import BatchBuffer, PendingBatch, Room
from shared.messaging.bus import (
    EXCHANGE,
    PREFETCH,
    UNREACHABLE,
    Incoming,
    Outgoing,
    PublishResult,
)
from shared.messaging.embedded.memory_queues import MemoryQueues
from shared.messaging.embedded.unacked import UnackedPublish, UnackedPublishes
from shared.messaging.in_hand import BytesInHand
from shared.messaging.topology import Topology


@dataclass(slots=True, eq=False)
class _Tag:
    """A message in a subscriber's hands: the `delivery_tag` of `Incoming`."""

    message: Any
    publish: UnackedPublish


class EmbeddedBroker:
    """The queues of one process. Every service has its own `bus`; two brokers share nothing.

    A queue in the topology for which no bus was ever made (an outside system that is not here)
    counts as served, and nothing piles up for it. One whose bus was closed is missed: what is
    published to it is `UNKNOWN`, and stays with its publisher.
    """

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._lock = threading.Lock()
        self._queues = MemoryQueues(topology)
        self._queue_names = {listener.name for listener in topology.listeners}
        self._routes: dict[tuple[str, str], tuple[str, ...]] = {}
        self._subscribers: defaultdict[str, list[EmbeddedBus]] = defaultdict(list)
        self._given_back: defaultdict[str, deque[_Tag]] = defaultdict(deque)
        self.unacked = UnackedPublishes()

    def bus(self, queue: str | None, exchange: str = EXCHANGE) -> "EmbeddedBus":
        """A bus for one service; with a queue, it counts as a subscriber from now on.

        What it publishes goes to `exchange`: an outside speaker's line has that speaker's own.
        """
        with self._lock:
            bus = EmbeddedBus(self, queue, exchange, self._lock, self._queues.channel())
            if queue is not None:
                if not self._subscribers[queue]:
                    self._queues.declare(queue, bus.channel)
                self._subscribers[queue].append(bus)
        return bus

    # Publishing.

    def publish(
        self, messages: Sequence[Outgoing], publisher: "EmbeddedBus"
    ) -> "Future[list[PublishResult]]":
        """Route messages through kombu; see `Bus.publish`."""
        batch = PendingBatch(len(messages))
        queues: set[str] = set()
        with self._lock:
            for index, message in enumerate(messages):
                queues |= self._send(message, publisher, batch, index)
            for queue in queues:
                self._notify(queue)
            complete = batch.complete
        if complete:
            batch.resolve()
        return batch.future

    def _send(
        self, message: Outgoing, publisher: "EmbeddedBus", batch: PendingBatch, index: int
    ) -> set[str]:
        """Put one message in every queue that has somebody to read it; return these queues."""
        if len(message.body) > MAX_BODY_BYTES:
            batch.record(index, PublishResult.REFUSED)
            return set()
        bound = self._bound(message, publisher.exchange)
        attached = [queue for queue in bound if queue in self._subscribers]
        awaited = {queue for queue in attached if self._subscribers[queue]}
        if not bound:
            batch.record(index, PublishResult.UNROUTABLE)
        elif len(awaited) < len(attached):
            batch.record(index, PublishResult.UNKNOWN)
        elif not awaited:
            batch.record(index, PublishResult.CONFIRMED)
        if awaited:
            publish = self.unacked.add(
                publisher, batch, index, repeated=message.repeated, to=awaited
            )
            reached("publish.before")
            self._queues.put(message, publisher.exchange, publisher.user, publish.number)
            reached("publish.after")
        return awaited

    def _bound(self, message: Outgoing, exchange: str) -> tuple[str, ...]:
        if message.queue is not None:
            return (message.queue,) if message.queue in self._queue_names else ()
        route = exchange, message.type
        if route not in self._routes:
            self._routes[route] = self._topology.bound(*route)
        return self._routes[route]

    def _notify(self, queue: str) -> None:
        for bus in self._subscribers[queue]:
            bus.buffer.notify(PREFETCH)

    # For its buses, with the lock held.

    def published_to(self, message: Any) -> tuple[str, str]:
        """The exchange and the routing key of a message; both empty for one that came straight."""
        return self._queues.published_to(message)

    def take(self, queue: str, channel: Any) -> _Tag | None:
        """The next message in a queue, first of those that were given back."""
        if self._given_back[queue]:
            return self._given_back[queue].popleft()
        message = self._queues.get(queue, channel)
        if message is None:
            return None
        return _Tag(message, self.unacked.get(message.properties["correlation_id"]))

    def give_back(self, queue: str, tags: Sequence[_Tag]) -> None:
        """Have these be the next in a queue, in the order in which they were taken."""
        self._given_back[queue].extendleft(reversed(tags))
        self._notify(queue)

    def detach(self, bus: "EmbeddedBus", queue: str) -> list[PendingBatch]:
        """Let a subscriber go; when it was the last, what waits in its queue is lost.

        Returns the batches that are complete by that.
        """
        self._subscribers[queue].remove(bus)
        complete: list[PendingBatch] = []
        if self._subscribers[queue]:
            self._notify(queue)
            return complete
        while tag := self.take(queue, bus.channel):
            tag.message.ack()
            complete += self.unacked.lose(tag.publish, queue)
        self._queues.delete(queue, bus.channel)
        return complete


class EmbeddedBus:
    """One service's way to the `EmbeddedBroker`; see `Bus`."""

    def __init__(
        self,
        broker: EmbeddedBroker,
        queue: str | None,
        exchange: str,
        lock: threading.Lock,
        channel: Any,
    ) -> None:
        self._broker = broker
        self._queue = queue
        self.exchange = exchange
        self.channel = channel
        self.buffer = BatchBuffer(lock)
        self._in_hand: dict[_Tag, None] = {}
        self.in_hand = BytesInHand()
        self._pauses = 0
        self._opened = False

    @property
    def user(self) -> str | None:
        """Who publishes here; a service has the name of its queue."""
        return self._queue

    def open(self) -> None:
        """Begin to receive."""
        with self.buffer.lock:
            self._opened = True
            self.buffer.notify(PREFETCH)

    def publish(self, messages: Sequence[Outgoing]) -> "Future[list[PublishResult]]":
        """Hand messages over; answered when every subscriber has acknowledged them all."""
        if self.buffer.closed:
            return PendingBatch.resolved(PublishResult.UNKNOWN, len(messages))
        return self._broker.publish(messages, self)

    def receive(self, limit: int, wait: float, linger: float) -> list[Incoming]:
        """Return what is there now, at most `limit` messages."""
        return self.buffer.collect(self._take, limit, wait, linger)

    def _take(self, room: Room) -> list[Incoming]:
        """Take what is there from kombu, as far as the hands are free and there is room."""
        batch: list[Incoming] = []
        while self._queue and self._has_free_hands() and room.left > 0:
            if (tag := self._broker.take(self._queue, self.channel)) is None:
                break
            size = len(tag.message.body)
            if not room.admit(size):
                self._broker.give_back(self._queue, [tag])
                break
            self._in_hand[tag] = None
            self.in_hand.add(size)
            batch.append(self._incoming(tag))
        return batch

    def _has_free_hands(self) -> bool:
        receives = self._opened and not self._pauses
        return receives and len(self._in_hand) < PREFETCH and not self.in_hand.full

    def pause(self) -> None:
        """Give back what is not acknowledged, and receive nothing until `resume`."""
        with self.buffer.lock:
            self._pauses += 1
            if self._queue is not None and not self.buffer.closed:
                self._broker.give_back(self._queue, list(self._in_hand))
                self._in_hand.clear()

    def resume(self) -> None:
        """Receive again, once everybody who called `pause` has called this."""
        with self.buffer.lock:
            self._pauses -= 1
            self.buffer.notify(PREFETCH)

    def _incoming(self, tag: _Tag) -> Incoming:
        message = tag.message
        exchange, routing_key = self._broker.published_to(message)
        return Incoming(
            body=message.body,
            routing_key=routing_key or str(self._queue),
            content_type=message.content_type,
            headers=dict(message.headers),
            message_id=message.properties["message_id"],
            type=message.properties["type"],
            user_id=message.properties["user_id"],
            exchange=exchange,
            redelivered=tag.publish.repeated,
            delivery_tag=tag,
        )

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        """Note that these are dealt with: their publishers may hear so."""
        complete: list[PendingBatch] = []
        self.in_hand.remove(messages)
        with self.buffer.lock:
            for message in messages:
                tag = message.delivery_tag
                if isinstance(tag, _Tag) and tag in self._in_hand:
                    del self._in_hand[tag]
                    tag.message.ack()
                    complete += self._broker.unacked.acknowledge(tag.publish, str(self._queue))
            self.buffer.notify(PREFETCH)
        for batch in complete:
            batch.resolve()

    def interrupt(self) -> None:
        """Make a waiting `receive`, or else the next one, return at once."""
        self.buffer.interrupt()

    def healthy(self) -> bool:
        """Whether it was opened and is not closed."""
        return self._opened and not self.buffer.closed

    def trouble(self) -> str:
        """Only that it is not open: it has no broker that could be away."""
        return "" if self.healthy() else UNREACHABLE

    def silent_for(self) -> float:
        """Always 0: nothing comes between a service and a broker in its own process."""
        return 0.0

    def close(self) -> None:
        """Stop; what was not acknowledged stays with its publisher."""
        complete: list[PendingBatch] = []
        with self.buffer.lock:
            if self.buffer.closed:
                return
            self.buffer.close()
            for tag in self._in_hand:
                complete += self._broker.unacked.lose(tag.publish, str(self._queue))
            self._in_hand.clear()
            if self._queue is not None:
                complete += self._broker.detach(self, self._queue)
            complete += self._broker.unacked.abandon(self)
            self.channel.close()
        for batch in complete:
            batch.resolve()
