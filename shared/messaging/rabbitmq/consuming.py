"""Consuming one queue: a bounded number in hand, acknowledged in as few words as can be."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import Any

import structlog

from shared.messaging.bus import Incoming
from shared.messaging.rabbitmq.frames import Delivery
from shared.messaging.rabbitmq.given_up import as_given_up
from shared.messaging.rabbitmq.line import Line
from shared.messaging.reception import Reception

log = structlog.get_logger()


@dataclass(slots=True)
class _Receipt:
    """A delivery tag, and the channel that it is good for."""

    channel: object
    tag: int


class Consuming:
    """Keeps a subscription to one queue.

    With `last_resort` it is the queue for what the broker gave up. Two that share a `reception`
    wake the same `receive`, which takes from each by `take`.

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
        *,
        last_resort: bool = False,
        reception: Reception | None = None,
    ) -> None:
        self._ioloop = ioloop
        what = "burying" if last_resort else "consuming"
        self.line = Line(ioloop, addresses, f"{name} {what}", self._up, self._down)
        self._last_resort = last_resort
        self._queue = queue
        self._prefetch = prefetch
        self._log = log.bind(queue=queue)
        self.reception = reception or Reception()
        self._arrived: list[Incoming] = []
        self._ready: deque[Incoming] = deque()
        self._channel: Any = None
        self._outstanding: dict[int, None] = {}
        self._dealt_with: set[int] = set()
        self.subscribed = False

    # For the service's threads.

    def take(self, limit: int) -> list[Incoming]:
        """Take at most so many of what is there now; with the reception's lock held."""
        return [self._ready.popleft() for _ in range(min(limit, len(self._ready)))]

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        """Have the thread of the connection acknowledge them all in one go."""
        receipts = [one.receipt for one in messages if isinstance(one.receipt, _Receipt)]
        if receipts:
            self._ioloop.add_callback_threadsafe(lambda: self._acknowledge(receipts))

    # For the thread of the connection.

    def _acknowledge(self, receipts: Sequence[_Receipt]) -> None:
        """Acknowledge what this channel delivered; tags of an earlier one mean nothing now."""
        channel = self._channel
        if channel is None or not channel.is_open:
            return
        done = self._dealt_with
        done |= {one.tag for one in receipts if one.channel is channel} & self._outstanding.keys()
        # "All up to this one" is only true of an unbroken row from the oldest onward. What comes
        # after a message that is still in hand waits for it, as far as the hands stay free.
        row = list(takewhile(done.__contains__, self._outstanding))
        if row:
            channel.basic_ack(row[-1], multiple=len(row) > 1)
            self._forget(row)
        if len(done) > self._prefetch // 2:
            self._acknowledge_singly()

    def _acknowledge_singly(self) -> None:
        tags = sorted(self._dealt_with)
        for tag in tags:
            self._channel.basic_ack(tag)
        self._forget(tags)

    def _forget(self, tags: Sequence[int]) -> None:
        self._dealt_with.difference_update(tags)
        for tag in tags:
            del self._outstanding[tag]

    def _delivered(self, channel: Any, delivery: Delivery) -> None:
        if channel is not self._channel:
            return  # It was given up meanwhile; the broker delivers this again.
        properties = delivery.properties
        self._outstanding[delivery.tag] = None
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
            redelivered=delivery.redelivered,
            damage=delivery.damage,
            receipt=_Receipt(channel, delivery.tag),
        )
        self._arrived.append(as_given_up(incoming) if self._last_resort else incoming)

    def _hand_over(self) -> None:
        with self.reception.lock:
            self._ready.extend(self._arrived)
            self._arrived.clear()
            self.reception.stir(len(self._ready))

    def _up(self, channel: Any) -> None:
        self._channel = channel
        channel.add_on_cancel_callback(self._cancelled)
        channel.basic_qos(prefetch_count=self._prefetch, callback=lambda _ok: self._subscribe())

    def _subscribe(self) -> None:
        if self._channel is not None and self._channel.is_open:
            channel = self._channel
            channel.connection.hear_deliveries(
                channel.channel_number, partial(self._delivered, channel)
            )
            # pika insists on a callback for deliveries, but they take the short cut.
            channel.basic_consume(self._queue, lambda *_delivery: None, callback=self._subscription)

    def _subscription(self, _ok: Any) -> None:
        self.subscribed = True
        self.line.settled()

    def _cancelled(self, _method: Any) -> None:
        """The broker ended the subscription, e.g. because the queue was deleted or has moved."""
        self._log.warning("consumer_cancelled")
        self.subscribed = False
        self.line.renew()

    def _down(self) -> None:
        """What was in hand on this channel will be delivered again."""
        self.subscribed = False
        self._channel = None
        self._outstanding.clear()
        self._dealt_with.clear()
        self._arrived.clear()
        with self.reception.lock:
            self._ready.clear()

    def stop(self) -> None:
        """Take no more; what is not acknowledged goes back when the line closes."""
        self.subscribed = False
        if self._channel is not None and self._channel.is_open:
            self._acknowledge_singly()
        with self.reception.lock:
            self._ready.clear()
            self.reception.close()
