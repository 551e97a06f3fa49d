"""Consuming one queue: a bounded number in hand, acknowledged in as few words as can be."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import Any

import structlog

from shared.messaging.batches import BatchBuffer, Room
from shared.messaging.bus import Incoming
from shared.messaging.in_hand import BytesInHand
from shared.messaging.rabbitmq.frames import RawDelivery
from shared.messaging.rabbitmq.prefetch import Prefetch
from shared.messaging.rabbitmq.reconnecting_channel import Endpoint, ReconnectingChannel
from shared.messaging.rabbitmq.x_death import read_x_death

log = structlog.get_logger()


@dataclass(slots=True)
class _Tag:
    """A delivery tag's number, and the channel that it is good for."""

    channel: object
    number: int


class QueueConsumer:
    """Keeps a subscription to one queue.

    With `dead_letters` it is the queue for what the broker dead-lettered. Two that share a
    `buffer` wake the same `receive`, which takes from each by `take`.

    `take` and `acknowledge` may be called from any thread; all else runs on the thread of
    the I/O loop.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        queue: str,
        prefetch: int,
        buffer: BatchBuffer,
        in_hand: BytesInHand,
        *,
        dead_letters: bool = False,
    ) -> None:
        self._ioloop = endpoint.ioloop
        self.connection = ReconnectingChannel(
            endpoint,
            "dead-letter consumer" if dead_letters else "consumer",
            self._on_channel_open,
            self._on_channel_closed,
        )
        self._dead_letters = dead_letters
        self._queue = queue
        self._prefetch = Prefetch(prefetch, in_hand.bound)
        self._log = log.bind(queue=queue)
        self._buffer = buffer
        self._in_hand = in_hand
        self._arrived: list[Incoming] = []
        self._available: deque[Incoming] = deque()
        self._channel: Any = None
        self._unacked: dict[int, None] = {}
        self._to_ack: set[int] = set()
        self._wide_consumer: str | None = None
        self._paused = False
        self.subscribed = False

    # For the service's threads.

    def take(self, room: Room) -> list[Incoming]:
        """Take what is there now, as far as there is room; with the buffer's lock held."""
        available, batch = self._available, []
        while available and room.admit(len(available[0].body)):
            batch.append(available.popleft())
        return batch

    @property
    def working(self) -> bool:
        """Whether it is subscribed, or would be if it were not paused."""
        return self.subscribed or (self._paused and self._channel is not None)

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        """Have the thread of the connection acknowledge them all in one go."""
        tags = [
            message.delivery_tag for message in messages if isinstance(message.delivery_tag, _Tag)
        ]
        if tags:
            self._ioloop.add_callback_threadsafe(lambda: self._acknowledge(tags))

    # For the thread of the connection.

    def _acknowledge(self, tags: Sequence[_Tag]) -> None:
        """Acknowledge what this channel delivered; tags of an earlier one mean nothing now."""
        if self._in_hand.has_room:
            self.connection.read_on()
        channel = self._channel
        if channel is None or not channel.is_open:
            return
        to_ack = self._to_ack
        to_ack |= {tag.number for tag in tags if tag.channel is channel} & self._unacked.keys()
        # "All up to this one" is only true of an unbroken row from the oldest onward. What comes
        # after a message that is still in hand waits for it, as far as the hands stay free.
        row = list(takewhile(to_ack.__contains__, self._unacked))
        if row:
            channel.basic_ack(row[-1], multiple=len(row) > 1)
            self._forget(row)
        if len(to_ack) > self._prefetch.now // 2:
            self._acknowledge_singly()
        if self._prefetch.should_widen():
            self._widen(channel)

    def _acknowledge_singly(self) -> None:
        numbers = sorted(self._to_ack)
        for number in numbers:
            self._channel.basic_ack(number)
        self._forget(numbers)

    def _forget(self, numbers: Sequence[int]) -> None:
        self._prefetch.note_dealt_with(len(numbers))
        self._to_ack.difference_update(numbers)
        for number in numbers:
            del self._unacked[number]

    def _on_delivery(self, channel: Any, delivery: RawDelivery) -> None:
        if channel is not self._channel or not channel.is_open:
            return  # It was given up meanwhile; the broker delivers this again.
        properties = delivery.properties
        self._unacked[delivery.tag] = None
        if not self._arrived:
            # What is read from the connection in one go is handed over in one go: to wake the
            # service for each message costs more than the message does.
            channel.connection.when_read(self._hand_over)
        incoming = Incoming(
            body=delivery.body,
            routing_key=delivery.routing_key,
            content_type=properties.content_type,
            headers=properties.headers,
            message_id=properties.message_id,
            type=properties.type,
            user_id=properties.user_id,
            exchange=delivery.exchange,
            redelivered=delivery.redelivered,
            damage=delivery.damage,
            delivery_tag=_Tag(channel, delivery.tag),
        )
        self._arrived.append(read_x_death(incoming) if self._dead_letters else incoming)
        self._bound_bytes(len(incoming.body))

    def _bound_bytes(self, size: int) -> None:
        """Read no further with too much in hand, and have less delivered when bodies are large."""
        self._in_hand.add(size)
        self._prefetch.note_arrival(size)
        if self._in_hand.full:
            self.connection.stop_reading()
        if self._prefetch.should_narrow():
            self._narrow()

    def _hand_over(self) -> None:
        with self._buffer.lock:
            self._available.extend(self._arrived)
            self._arrived.clear()
            self._buffer.notify(len(self._available))

    def _on_channel_open(self, channel: Any) -> None:
        self._channel = channel
        self._prefetch.begin()
        if self._paused:
            self.connection.mark_ready()
            return
        channel.add_on_cancel_callback(self._on_cancelled)
        first = self._prefetch.first
        channel.basic_qos(prefetch_count=first, callback=lambda _ok: self._subscribe(channel))

    def _subscribe(self, channel: Any) -> None:
        if channel is self._channel and channel.is_open:
            channel.connection.set_delivery_callback(
                channel.channel_number, partial(self._on_delivery, channel)
            )
            self._consume(channel, self._on_subscribed)

    def _consume(self, channel: Any, callback: Callable[[Any], None] | None = None) -> str:
        # pika insists on a callback for deliveries, but they take the short cut.
        tag: str = channel.basic_consume(self._queue, lambda *_delivery: None, callback=callback)
        return tag

    def _on_subscribed(self, _ok: Any) -> None:
        self.subscribed = True
        self.connection.mark_ready()

    def _widen(self, channel: Any) -> None:
        """Have more in hand: a prefetch is for consumers to come, so that it takes another one."""

        def consume(_ok: Any) -> None:
            if channel is self._channel and channel.is_open and self._prefetch.wide:
                self._wide_consumer = self._consume(channel)

        self._prefetch.wide = True
        channel.basic_qos(prefetch_count=self._prefetch.rest, callback=consume)

    def _narrow(self) -> None:
        """Have less in hand; what the second consumer has got already is dealt with as before."""
        self._prefetch.begin()
        tag, self._wide_consumer = self._wide_consumer, None
        if tag is not None and self._channel is not None and self._channel.is_open:
            self._channel.basic_cancel(tag)

    def pause(self) -> None:
        """Give back what is in hand, with its channel, and subscribe to nothing for now."""
        self._paused = True
        self._renew_channel()

    def resume(self) -> None:
        """Subscribe again, on a channel of its own."""
        self._paused = False
        self._renew_channel()

    def _renew_channel(self) -> None:
        self.subscribed = False
        if self._channel is not None and self._channel.is_open:
            self._acknowledge_singly()
        self.connection.reopen_channel()
        # The answer is behind all that was sent on the old one, which nobody keeps any more.
        self.connection.read_on()

    def _on_cancelled(self, _method: Any) -> None:
        """Subscribe anew: the broker cancels when the queue was deleted or has moved."""
        self._log.warning("consumer_cancelled")
        self.subscribed = False
        self.connection.reopen_channel()

    def _on_channel_closed(self) -> None:
        """Forget what was in hand on this channel: it will be delivered again."""
        self.subscribed = False
        self._channel = None
        self._wide_consumer = None
        self._unacked.clear()
        self._to_ack.clear()
        with self._buffer.lock:
            self._available.extend(self._arrived)
            self._arrived.clear()
            self._in_hand.remove(self._available)
            self._available.clear()

    def stop(self) -> None:
        """Take no more; what is not acknowledged goes back when the connection closes."""
        self.subscribed = False
        if self._channel is not None and self._channel.is_open:
            self._acknowledge_singly()
        self._channel = None
        self.connection.read_on()
        with self._buffer.lock:
            self._in_hand.remove(self._available)
            self._available.clear()
            self._buffer.close()
