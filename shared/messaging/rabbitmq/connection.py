"""pika's connection, with a short cut for the frames that every message takes."""

from collections.abc import Callable
from typing import Any

import pika  # noqa: TID251 - this package is the one place where AMQP is spoken.
from pika.adapters import select_connection  # noqa: TID251 - AMQP is spoken here.
from pika.exceptions import AMQPConnectionError  # noqa: TID251 - AMQP is spoken here.
from pika.frame import decode_frame  # noqa: TID251 - AMQP is spoken here.

from shared.messaging.rabbitmq import frames, socket_reader
from shared.messaging.rabbitmq.frames import (
    ACK,
    DELIVER,
    FRAME_END,
    FRAME_HEAD,
    LONG,
    METHOD,
    NACK,
    TAG_AND_BIT,
)
from shared.messaging.rabbitmq.pika_internals import (
    require_internals,
    require_loop_internals,
)

require_internals(pika.SelectConnection, pika.__version__)
require_loop_internals(select_connection.IOLoop, select_connection._PollerBase, pika.__version__)

DeliveryCallback = Callable[[frames.RawDelivery], None]
ConfirmCallback = Callable[[int, bool, bool], None]
"""Takes a delivery tag, whether it stands for all up to it, and whether it is an ack."""


class Connection(pika.SelectConnection):  # type: ignore[misc]
    """Frames that are written in one go are sent in one go, and deliveries are read at once.

    Buffered until the loop comes round, which is before it sleeps: a message is three frames,
    pika makes a system call for each, and each time another thread may take the interpreter.
    """

    _write_buffer: list[bytes] | None = None
    _frame_buffer: bytes
    held_up = False
    """Whether what the broker sends is left in the socket."""

    def __init__(self, *args: Any, **named: Any) -> None:
        self._delivery_callbacks: dict[int, DeliveryCallback] = {}
        self._confirm_callbacks: dict[int, ConfirmCallback] = {}
        self._when_read: list[Callable[[], None]] = []
        self._partial_deliveries: dict[int, frames.RawDelivery] = {}
        super().__init__(*args, **named)

    def abort(self) -> None:
        """Drop the connection without a word to the broker, which may never answer one."""
        # pika does this when heartbeats fail, and has no public name for it: its `close` waits
        # for the channel, however long that takes.
        self._terminate_stream(AMQPConnectionError("given up"))

    # Writing.

    def publish(
        self, channel: int, exchange: str, routing_key: str, properties: bytes, body: bytes
    ) -> None:
        """Send one mandatory message."""
        data, count = frames.publish_frames(
            channel, exchange, routing_key, properties, body, self._body_max_length
        )
        self.bytes_sent += len(data)
        self.frames_sent += count
        self._adapter_emit_data(data)

    def _adapter_emit_data(self, data: bytes) -> None:
        if self._write_buffer is None:
            self._write_buffer = []
            self.ioloop.call_later(0, self.flush)
        self._write_buffer.append(data)

    def flush(self) -> None:
        """Send what was written so far: for who will write no more in this turn of the loop."""
        chunks, self._write_buffer = self._write_buffer, None
        if chunks and self._transport is not None:
            super()._adapter_emit_data(b"".join(chunks))

    # Reading.

    def stop_reading(self) -> None:
        """Leave what the broker sends in the socket, and so make the broker wait.

        Nothing else can: it has no prefetch in bytes, and refuses to be asked to hold back. What
        was read already is still dealt with. Heartbeats go out meanwhile.
        """
        if self._transport is not None:
            self.held_up = True
            socket_reader.stop(self._transport)

    def read_on(self) -> None:
        """Read again, first what has come meanwhile."""
        if self.held_up and self._transport is not None:
            self.held_up = False
            self.ioloop.call_later(0, socket_reader.start(self._transport))

    def note_waiting(self) -> None:
        """Do not take the broker for dead while it is us who do not listen."""
        if self.held_up:
            self.bytes_received += 1

    def set_delivery_callback(self, channel: int, callback: DeliveryCallback) -> None:
        """Give what is delivered on a channel to a callback instead of to pika."""
        self._partial_deliveries.pop(channel, None)
        self._delivery_callbacks[channel] = callback

    def when_read(self, callback: Callable[[], None]) -> None:
        """Call this once all that has been received in one go is dealt with."""
        self._when_read.append(callback)

    def set_confirm_callback(self, channel: int, callback: ConfirmCallback) -> None:
        """Give the confirms of a channel to a callback instead of to pika."""
        self._confirm_callbacks[channel] = callback

    def _on_data_available(self, data_in: bytes) -> None:
        data = self._frame_buffer + data_in if self._frame_buffer else data_in
        if data.startswith(b"AMQP"):
            # A broker that speaks another version says so, and pika knows what to make of it.
            super()._on_data_available(data_in)
            return
        try:
            consumed = self._read_frames(data)
        finally:
            callbacks, self._when_read = self._when_read, []
            for callback in callbacks:
                callback()
        self._frame_buffer = data[consumed:]
        # pika takes a connection on which this stands still for dead, and hangs up.
        self.bytes_received += consumed

    def _read_frames(self, data: bytes) -> int:
        """Deal with every whole frame; returns where the first incomplete one begins."""
        at, end = 0, len(data)
        while end - at >= frames.FRAME_OVERHEAD and not self.is_closed:
            kind, channel, size = FRAME_HEAD.unpack_from(data, at)
            start = at + 7
            after = start + size + 1
            if after > end:
                break
            at, frame = after, at
            if data[after - 1] == FRAME_END and self._dispatch(
                kind, channel, data, start, after - 1
            ):
                self.frames_received += 1
            else:
                self._process_frame(decode_frame(data[frame:after])[1])
        return at

    def _dispatch(self, kind: int, channel: int, data: bytes, start: int, stop: int) -> bool:
        """Deal with a frame of a delivery or a confirm; False when it is something else."""
        if kind == METHOD:
            return self._dispatch_method(channel, data, start, stop)
        delivery = self._partial_deliveries.get(channel)
        if delivery is None:
            return False
        delivery.add_frame(kind, data[start:stop])
        if delivery.complete:
            del self._partial_deliveries[channel]
            self._delivery_callbacks[channel](delivery)
        return True

    def _dispatch_method(self, channel: int, data: bytes, start: int, stop: int) -> bool:
        (method,) = LONG.unpack_from(data, start)
        if method == DELIVER and channel in self._delivery_callbacks:
            self._partial_deliveries[channel] = frames.decode_delivery(data[start:stop])
            return True
        if method in (ACK, NACK) and channel in self._confirm_callbacks:
            # A nack has one more bit beside `multiple`: it asks to put something back in a queue.
            tag, _ = TAG_AND_BIT.unpack_from(data, start + 4)
            multiple = bool(data[start + 12] & 1)
            self._confirm_callbacks[channel](tag, multiple, method == ACK)
            return True
        return False
