"""pika's connection, with a short cut for the frames that every message takes."""

from collections.abc import Callable
from typing import Any

import pika  # noqa: TID251 - this package is the one place where AMQP is spoken.
from pika.frame import decode_frame  # noqa: TID251 - AMQP is spoken here.

from shared.messaging.rabbitmq import frames
from shared.messaging.rabbitmq.frames import ACK, DELIVER, END, HEAD, METHOD, NACK, NUMBER, TAG

OnDelivery = Callable[[frames.Delivery], None]
OnConfirm = Callable[[int, bool, bool], None]
"""Takes a delivery tag, whether it stands for all up to it, and whether it is a yes."""


class Connection(pika.SelectConnection):  # type: ignore[misc]
    """Frames that are written in one go are sent in one go, and deliveries are read at once.

    Gathered until the loop comes round, which is before it sleeps: a message is three frames,
    pika makes a system call for each, and each time another thread may take the interpreter.
    """

    _gathered: list[bytes] | None = None
    _frame_buffer: bytes

    def __init__(self, *args: Any, **named: Any) -> None:
        self._on_delivery: dict[int, OnDelivery] = {}
        self._on_confirm: dict[int, OnConfirm] = {}
        self._arriving: dict[int, frames.Delivery] = {}
        super().__init__(*args, **named)

    # Writing.

    def publish(
        self, channel: int, exchange: str, routing_key: str, properties: bytes, body: bytes
    ) -> None:
        """Send one mandatory message."""
        room = self._body_max_length
        written, count = frames.publish(channel, exchange, routing_key, properties, body, room)
        self.bytes_sent += len(written)
        self.frames_sent += count
        self._adapter_emit_data(written)

    def _adapter_emit_data(self, data: bytes) -> None:
        if self._gathered is None:
            self._gathered = []
            self.ioloop.call_later(0, self._emit)
        self._gathered.append(data)

    def _emit(self) -> None:
        gathered, self._gathered = self._gathered, None
        if gathered and self._transport is not None:
            super()._adapter_emit_data(b"".join(gathered))

    # Reading.

    def hear_deliveries(self, channel: int, listener: OnDelivery) -> None:
        """Give what is delivered on a channel to a listener instead of to pika."""
        self._arriving.pop(channel, None)
        self._on_delivery[channel] = listener

    def hear_confirms(self, channel: int, listener: OnConfirm) -> None:
        """Give the confirms of a channel to a listener instead of to pika."""
        self._on_confirm[channel] = listener

    def _on_data_available(self, data_in: bytes) -> None:
        data = self._frame_buffer + data_in if self._frame_buffer else data_in
        if data.startswith(b"AMQP"):
            # A broker that speaks another version says so, and pika knows what to make of it.
            super()._on_data_available(data_in)
            return
        read = self._read_frames(data)
        self._frame_buffer = data[read:]
        # pika takes a line on which this stands still for dead, and hangs up.
        self.bytes_received += read

    def _read_frames(self, data: bytes) -> int:
        """Deal with every whole frame; returns where the first incomplete one begins."""
        at, end = 0, len(data)
        while end - at >= frames.FRAME_OVERHEAD and not self.is_closed:
            kind, channel, size = HEAD.unpack_from(data, at)
            start = at + 7
            after = start + size + 1
            if after > end:
                break
            at, frame = after, at
            if data[after - 1] == END and self._short_cut(kind, channel, data, start, after - 1):
                self.frames_received += 1
            else:
                self._process_frame(decode_frame(data[frame:after])[1])
        return at

    def _short_cut(self, kind: int, channel: int, data: bytes, start: int, stop: int) -> bool:
        """Deal with a frame of a delivery or a confirm; False when it is something else."""
        if kind == METHOD:
            return self._method(channel, data, start, stop)
        delivery = self._arriving.get(channel)
        if delivery is None:
            return False
        delivery.take(kind, data[start:stop])
        if delivery.complete:
            del self._arriving[channel]
            self._on_delivery[channel](delivery)
        return True

    def _method(self, channel: int, data: bytes, start: int, stop: int) -> bool:
        (method,) = NUMBER.unpack_from(data, start)
        if method == DELIVER and channel in self._on_delivery:
            self._arriving[channel] = frames.read_delivery(data[start:stop])
            return True
        if method in (ACK, NACK) and channel in self._on_confirm:
            # A nack has one more bit beside `multiple`: it asks to put something back in a queue.
            tag, _ = TAG.unpack_from(data, start + 4)
            self._on_confirm[channel](tag, bool(data[start + 12] & 1), method == ACK)
            return True
        return False
