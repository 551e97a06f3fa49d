"""Consuming one queue: a bounded number in hand, acknowledged in as few words as can be."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import Any

import structlog

from shared.messaging.batches import BatchBuffer
from shared.messaging.bus import Incoming
from shared.messaging.rabbitmq.frames import RawDelivery
from shared.messaging.rabbitmq.reconnecting_channel import ReconnectingChannel
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
    `ioloop`.
    """

    def __init__(
        self,
        ioloop: Any,
        addresses: Sequence[Any],
        name: str,
        queue: str,
        prefetch: int,
        buffer: BatchBuffer,
        *,
        dead_letters: bool = False,
    ) -> None:
        self._ioloop = ioloop
        self.connection = ReconnectingChannel(
            ioloop,
            addresses,
            f"{name} {'dead-letter consumer' if dead_letters else 'consumer'}",
            self._on_channel_open,
            self._on_channel_closed,
        )
        self._dead_letters = dead_letters
        self._queue = queue
        self._prefetch = prefetch
        self._log = log.bind(queue=queue)
        self._buffer = buffer
        self._arrived: list[Incoming] = []
        self._available: deque[Incoming] = deque()
        self._channel: Any = None
        self._unacked: dict[int, None] = {}
        self._to_ack: set[int] = set()
        self.subscribed = False

    # For the service's threads.

    def take(self, limit: int) -> list[Incoming]:
        """Take at most so many of what is there now; with the buffer's lock held."""
        return [self._available.popleft() for _ in range(min(limit, len(self._available)))]

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
        if len(to_ack) > self._prefetch // 2:
            self._acknowledge_singly()

    def _acknowledge_singly(self) -> None:
        numbers = sorted(self._to_ack)
        for number in numbers:
            self._channel.basic_ack(number)
        self._forget(numbers)

    def _forget(self, numbers: Sequence[int]) -> None:
        self._to_ack.difference_update(numbers)
        for number in numbers:
            del self._unacked[number]

    def _on_delivery(self, channel: Any, delivery: RawDelivery) -> None:
        if channel is not self._channel:
            return  # It was given up meanwhile; the broker delivers this again.
        properties = delivery.properties
        self._unacked[delivery.tag] = None
        if not self._arrived:
            # What is read from the connection in one go is handed over in one go: to wake the
            # service for each message costs more than the message does.
            self._ioloop.call_later(0, self._hand_over)
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

    def _hand_over(self) -> None:
        with self._buffer.lock:
            self._available.extend(self._arrived)
            self._arrived.clear()
            self._buffer.notify(len(self._available))

    def _on_channel_open(self, channel: Any) -> None:
        self._channel = channel
        channel.add_on_cancel_callback(self._on_cancelled)
        channel.basic_qos(prefetch_count=self._prefetch, callback=lambda _ok: self._subscribe())

    def _subscribe(self) -> None:
        if self._channel is not None and self._channel.is_open:
            channel = self._channel
            channel.connection.set_delivery_callback(
                channel.channel_number, partial(self._on_delivery, channel)
            )
            # pika insists on a callback for deliveries, but they take the short cut.
            channel.basic_consume(
                self._queue, lambda *_delivery: None, callback=self._on_subscribed
            )

    def _on_subscribed(self, _ok: Any) -> None:
        self.subscribed = True
        self.connection.mark_ready()

    def _on_cancelled(self, _method: Any) -> None:
        """Subscribe anew: the broker cancels when the queue was deleted or has moved."""
        self._log.warning("consumer_cancelled")
        self.subscribed = False
        self.connection.reopen_channel()

    def _on_channel_closed(self) -> None:
        """Forget what was in hand on this channel: it will be delivered again."""
        self.subscribed = False
        self._channel = None
        self._unacked.clear()
        self._to_ack.clear()
        self._arrived.clear()
        with self._buffer.lock:
            self._available.clear()

    def stop(self) -> None:
        """Take no more; what is not acknowledged goes back when the connection closes."""
        self.subscribed = False
        if self._channel is not None and self._channel.is_open:
            self._acknowledge_singly()
        with self._buffer.lock:
            self._available.clear()
            self._buffer.close()
