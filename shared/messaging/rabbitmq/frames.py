"""AMQP 0-9-1 frames on the road that every message takes, written and read without detours.

pika makes a dozen objects for each message and looks every frame up among its callbacks: a third
of a consumer's time went there. What is here is written as bytes and read from bytes; whatever
else a broker and a client say to each other is left to pika (`connection`). Section numbers are
those of the AMQP 0-9-1 specification.
"""

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pika import data as tables  # noqa: TID251 - this package is where AMQP is spoken.

from shared.events.envelope import MAX_BODY_BYTES

METHOD, HEADER, BODY = 1, 2, 3
FRAME_END = 0xCE
BASIC = 60
DELIVER, ACK, NACK = 60 << 16 | 60, 60 << 16 | 80, 60 << 16 | 120
PUBLISH = 60 << 16 | 40
MANDATORY = 1
FRAME_OVERHEAD = 8
"""Bytes of a frame beside its payload (2.3.5)."""

LARGEST_KEPT = 4 * MAX_BODY_BYTES
"""A body that is larger is no event of anybody's, and is not held in memory: RabbitMQ takes up to
128 MiB. Its hash tells whoever sent it which one it was."""

FRAME_HEAD = struct.Struct(">BHL")
CONTENT_HEAD = struct.Struct(">HHQ")
LONG = struct.Struct(">L")
TAG_AND_BIT = struct.Struct(">Q?")
LONGLONG = struct.Struct(">Q")

# Property flags (4.2.6.1, and the class basic), the highest bit first.
CONTENT_TYPE, CONTENT_ENCODING, HEADERS, DELIVERY_MODE = 1 << 15, 1 << 14, 1 << 13, 1 << 12
PRIORITY, CORRELATION_ID, REPLY_TO, EXPIRATION = 1 << 11, 1 << 10, 1 << 9, 1 << 8
MESSAGE_ID, TIMESTAMP, TYPE, USER_ID, APP_ID = 1 << 7, 1 << 6, 1 << 5, 1 << 4, 1 << 3


class Unreadable(Exception):
    """Bytes that are no properties; the text says what is wrong with them."""


@dataclass(slots=True)
class Properties:
    """What we use of a message's properties."""

    content_type: str | None = None
    headers: Mapping[str, Any] = field(default_factory=dict)
    message_id: str | None = None
    type: str | None = None
    user_id: str | None = None


def publish_frames(
    channel: int,
    exchange: str,
    routing_key: str,
    properties: bytes,
    body: bytes,
    max_payload: int,
) -> tuple[bytes, int]:
    """The frames of one mandatory `basic.publish`, in one piece, and how many there are.

    `max_payload` is the most that a frame may hold beside its overhead.
    """
    size = len(body)
    content = LONG.pack(BASIC << 16) + LONGLONG.pack(size) + properties
    parts = [
        _publish_method(channel, exchange, routing_key),
        FRAME_HEAD.pack(HEADER, channel, len(content)) + content + b"\xce",
    ]
    for start in range(0, size, max_payload):
        part = body[start : start + max_payload]
        parts.append(b"%b%b\xce" % (FRAME_HEAD.pack(BODY, channel, len(part)), part))
    return b"".join(parts), len(parts)


@lru_cache(maxsize=500)
def _publish_method(channel: int, exchange: str, routing_key: str) -> bytes:
    payload = b"".join(
        (
            LONG.pack(PUBLISH),
            b"\0\0",
            _short(exchange),
            _short(routing_key),
            bytes([MANDATORY]),
        )
    )
    return FRAME_HEAD.pack(METHOD, channel, len(payload)) + payload + b"\xce"


def encode_properties(
    *,
    content_type: str,
    headers: Mapping[str, str],
    message_id: str,
    timestamp: int,
    type: str,
    user_id: str | None,
    app_id: str,
) -> bytes:
    """The properties of a persistent message: flags, then values in the order of their flags.

    Raises:
        ValueError: a text takes more than 255 bytes.
    """
    flags = CONTENT_TYPE | DELIVERY_MODE | MESSAGE_ID | TIMESTAMP | TYPE | APP_ID
    values = [
        _cached_short(content_type),
        b"\2",
        _short(message_id),
        LONGLONG.pack(timestamp),
        _cached_short(type),
    ]
    if headers:
        flags |= HEADERS
        values.insert(1, _table(headers))
    if user_id is not None:
        flags |= USER_ID
        values.append(_cached_short(user_id))
    values.append(_cached_short(app_id))
    return flags.to_bytes(2, "big") + b"".join(values)


def _short(text: str) -> bytes:
    encoded = text.encode()
    if len(encoded) > 255:
        raise ValueError(f"AMQP allows 255 bytes in a property, not {len(encoded)}")
    return bytes([len(encoded)]) + encoded


_cached_short = lru_cache(maxsize=500)(_short)
"""For texts that come back, such as the names of events."""


def _table(headers: Mapping[str, str]) -> bytes:
    """A table (4.2.5.5) whose values are all long strings."""
    entries = b"".join(
        b"%bS%b%b" % (_cached_short(name), LONG.pack(len(text)), text)
        for name, text in ((name, value.encode()) for name, value in headers.items())
    )
    return LONG.pack(len(entries)) + entries


@dataclass(slots=True)
class RawDelivery:
    """A `basic.deliver`, with what has arrived so far of the message that follows it.

    `damage` says what is wrong with properties that cannot be read.
    """

    tag: int
    redelivered: bool
    routing_key: str
    exchange: str = ""
    properties: Properties = field(default_factory=Properties)
    parts: list[bytes] = field(default_factory=list)
    remaining: int = -1
    damage: str | None = None
    size: int = 0
    let_go: Any = None

    @property
    def complete(self) -> bool:
        """Whether the last frame of its body is there."""
        return self.remaining == 0

    @property
    def body(self) -> bytes:
        """The body, from the frames that it came in."""
        return self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)

    def add_frame(self, kind: int, payload: bytes) -> None:
        """Add the next frame: the header, or a part of the body."""
        if kind == BODY:
            self._add_to_body(payload)
            return
        _, _, self.size = CONTENT_HEAD.unpack_from(payload)
        self.remaining = self.size
        if self.size > LARGEST_KEPT:
            self.let_go = hashlib.sha256()
        try:
            self.properties = decode_properties(payload, CONTENT_HEAD.size)
        except Unreadable as reason:
            self.damage = str(reason)

    def _add_to_body(self, payload: bytes) -> None:
        """Add a part of the body; of one that is too large the hash alone."""
        self.remaining -= len(payload)
        if self.let_go is None:
            self.parts.append(payload)
            return
        self.let_go.update(payload)
        if self.complete:
            self.damage = (
                f"the body has {self.size} bytes; an event has at most {MAX_BODY_BYTES}. It is "
                f"not kept; its SHA-256 is {self.let_go.hexdigest()}"
            )


def decode_delivery(payload: bytes) -> RawDelivery:
    """Read the payload of a `basic.deliver`: consumer tag, tag, redelivered, exchange, key.

    The message itself comes with the frames that follow.
    """
    at = 5 + payload[4]
    tag, redelivered = TAG_AND_BIT.unpack_from(payload, at)
    at += 9
    exchange, at = _read_name(payload, at)
    key, _ = _read_name(payload, at)
    return RawDelivery(tag, redelivered, key, exchange)


def _read_name(payload: bytes, at: int) -> tuple[str, int]:
    """A short string that need not be UTF-8, and where what follows it begins."""
    end = at + 1 + payload[at]
    return payload[at + 1 : end].decode("utf-8", "replace"), end


def decode_properties(payload: bytes, at: int) -> Properties:
    """Read the properties that begin at an offset; those that we do not use are passed over.

    Whatever a publisher put there, this ends in properties or in one kind of error: a fault
    here would cost the connection, and the message would come again for ever.

    Raises:
        Unreadable: they are cut short, not UTF-8, or a table of something unknown.
    """
    try:
        return _decode_properties(payload, at)
    except Exception as error:
        raise Unreadable(f"its AMQP properties cannot be read: {error!r}"[:300]) from None


def _decode_properties(payload: bytes, at: int) -> Properties:
    properties = Properties()
    flags = int.from_bytes(payload[at : at + 2], "big")
    at += 2
    if flags & CONTENT_TYPE:
        properties.content_type, at = _decode_short(payload, at)
    if flags & CONTENT_ENCODING:
        at += 1 + payload[at]
    if flags & HEADERS:
        headers, at = tables.decode_table(payload, at)
        if not all(isinstance(name, str) for name in headers):
            raise ValueError("the name of a header is not UTF-8")
        properties.headers = headers
    at += bool(flags & DELIVERY_MODE) + bool(flags & PRIORITY)
    for skipped in (CORRELATION_ID, REPLY_TO, EXPIRATION):
        if flags & skipped:
            at += 1 + payload[at]
    if flags & MESSAGE_ID:
        properties.message_id, at = _decode_short(payload, at)
    if flags & TIMESTAMP:
        at += 8
    if flags & TYPE:
        properties.type, at = _decode_short(payload, at)
    if flags & USER_ID:
        properties.user_id, at = _decode_short(payload, at)
    return properties


def _decode_short(payload: bytes, at: int) -> tuple[str, int]:
    end = at + 1 + payload[at]
    if end > len(payload):
        raise ValueError("they are cut short")
    return payload[at + 1 : end].decode(), end
