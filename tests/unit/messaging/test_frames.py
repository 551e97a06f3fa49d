"""Frames that take the short cut say the same to pika, and pika's say the same to us."""

from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pika.data import encode_table  # noqa: TID251 - pika is the other party here.
from pika.exceptions import InvalidFrameError  # noqa: TID251
from pika.frame import Body, Header, Method, decode_frame  # noqa: TID251
from pika.spec import Basic, BasicProperties  # noqa: TID251

from shared.messaging.bus import Incoming
from shared.messaging.rabbitmq import frames
from shared.messaging.rabbitmq.connection import Connection
from shared.processing.store.kept_messages import fingerprint

words = st.text(max_size=60)
short = st.none() | words
headers = st.dictionaries(words, words, max_size=4)


def read_by_pika(data: bytes) -> list[Any]:
    frames_read = []
    while data:
        length, frame = decode_frame(data)
        assert frame is not None
        frames_read.append(frame)
        data = data[length:]
    return frames_read


@given(
    key=words, kind=words, user=short, table=headers, body=st.binary(max_size=400),
    max_payload=st.integers(1, 200),
)  # fmt: skip
def test_pika_reads_what_we_publish(
    key: str,
    kind: str,
    user: str | None,
    table: dict[str, str],
    body: bytes,
    max_payload: int,
) -> None:
    # Given a message in our own frames
    properties = frames.encode_properties(
        content_type="application/json", headers=table, message_id="m-1", timestamp=1_700_000_000,
        type=kind, user_id=user, app_id="billing",
    )  # fmt: skip
    data, count = frames.publish_frames(3, "stappenplan.events", key, properties, body, max_payload)
    # When pika reads them
    method, header, *parts = read_by_pika(data)
    # Then it finds a mandatory, persistent message with just that in it
    assert count == 2 + len(parts)
    assert (method.method.exchange, method.method.routing_key) == ("stappenplan.events", key)
    assert method.method.mandatory
    assert {frame.channel_number for frame in (method, header, *parts)} == {3}
    read = header.properties
    assert (read.delivery_mode, read.message_id, read.type) == (2, "m-1", kind)
    assert (read.user_id, read.app_id, read.timestamp) == (user, "billing", 1_700_000_000)
    assert (read.headers or {}) == table
    assert header.body_size == len(body)
    assert b"".join(part.fragment for part in parts) == body


def test_a_text_that_no_property_can_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="255 bytes"):
        frames.encode_properties(
            content_type="application/json", headers={}, message_id="m" * 256, timestamp=0,
            type="t", user_id=None, app_id="a",
        )  # fmt: skip


class FedConnection:
    """A connection that is fed by the test, and what its callbacks get."""

    def __init__(self) -> None:
        self.deliveries: list[frames.RawDelivery] = []
        self.confirms: list[tuple[int, bool, bool]] = []
        self.left_to_pika: list[Any] = []
        self.connection = connection = object.__new__(Connection)
        connection.__dict__.update(
            _frame_buffer=b"", _delivery_callbacks={}, _confirm_callbacks={},
            _partial_deliveries={}, frames_received=0, bytes_received=0, connection_state=5,
            _process_frame=self.left_to_pika.append, _when_read=[],
        )  # fmt: skip
        connection.set_delivery_callback(1, self.deliveries.append)
        connection.set_confirm_callback(2, lambda *confirm: self.confirms.append(confirm))

    def feed(self, data: bytes, cuts: list[int]) -> None:
        edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
        for start, end in pairwise(edges):
            self.connection._on_data_available(data[start:end])


@given(
    bodies=st.lists(st.binary(max_size=300), min_size=1, max_size=4),
    properties=st.fixed_dictionaries(
        {}, optional={
            "content_type": words, "content_encoding": words, "headers": headers,
            "delivery_mode": st.sampled_from([1, 2]), "priority": st.integers(0, 9),
            "correlation_id": words, "reply_to": words, "expiration": words, "message_id": words,
            "timestamp": st.integers(0, 2**40), "type": words, "user_id": words, "app_id": words,
            "cluster_id": words,
        },
    ),
    cuts=st.lists(st.integers(0, 10_000), max_size=6),
)  # fmt: skip
def test_we_read_what_a_broker_delivers_however_it_is_cut(
    bodies: list[bytes], properties: dict[str, Any], cuts: list[int]
) -> None:
    # Given deliveries as pika would write them, an acknowledgement among them
    data = b""
    for tag, body in enumerate(bodies, start=1):
        data += Method(1, Basic.Deliver("ctag", tag, tag % 2 == 0, "ex", "some.key")).marshal()
        data += Method(2, Basic.Ack(tag, multiple=tag % 2 == 0)).marshal()
        data += Header(1, len(body), BasicProperties(**properties)).marshal()
        for start in range(0, len(body), 100):
            data += Body(1, body[start : start + 100]).marshal()
    # When they arrive in pieces
    fed = FedConnection()
    fed.feed(data, cuts)
    # Then each is heard once, whole, and with its properties
    assert [(delivery.tag, delivery.body, delivery.redelivered) for delivery in fed.deliveries] == [
        (tag, body, tag % 2 == 0) for tag, body in enumerate(bodies, start=1)
    ]
    for delivery in fed.deliveries:
        assert (delivery.routing_key, delivery.damage) == ("some.key", None)
        assert delivery.exchange == "ex"
        for name in ("content_type", "message_id", "type", "user_id"):
            assert getattr(delivery.properties, name) == properties.get(name)
        assert delivery.properties.headers == properties.get("headers", {})
    assert fed.confirms == [(tag, tag % 2 == 0, True) for tag in range(1, len(bodies) + 1)]
    assert fed.left_to_pika == []
    # and all of it is counted, by which pika tells a living connection from a dead one.
    assert fed.connection.bytes_received == len(data)


def test_whatever_is_not_a_delivery_or_a_confirm_is_left_to_pika() -> None:
    # Given a broker that cancels, and returns a message on a channel that hears confirms
    fed = FedConnection()
    data = Method(1, Basic.Cancel("ctag")).marshal()
    data += Method(2, Basic.Return(312, "NO_ROUTE", "ex", "key")).marshal()
    data += Header(2, 2, BasicProperties()).marshal() + Body(2, b"{}").marshal()
    # When both arrive, Then pika has all four frames
    fed.feed(data, [])
    assert len(fed.left_to_pika) == 4


@given(st.binary(max_size=80))
def test_properties_that_cannot_be_read_are_damage_and_never_a_fault(rubbish: bytes) -> None:
    # Given a delivery whose properties are any bytes at all
    payload = frames.CONTENT_HEAD.pack(60, 0, 2) + rubbish
    data = Method(1, Basic.Deliver("c", 1, False, "ex", "key")).marshal()
    data += frames.FRAME_HEAD.pack(frames.HEADER, 1, len(payload)) + payload + b"\xce"
    data += Body(1, b"{}").marshal()
    # When it arrives, Then it is heard, damaged or not, and so is what comes after it
    fed = FedConnection()
    fed.feed(data + Method(1, Basic.Deliver("c", 2, False, "ex", "key")).marshal(), [])
    assert [delivery.body for delivery in fed.deliveries] == [b"{}"]


def test_what_comes_together_is_handed_over_together_whatever_is_wrong_with_its_end() -> None:
    # Given somebody who hands deliveries over once all that came in one go is read,
    fed, handed_over = FedConnection(), []

    def take(delivery: frames.RawDelivery) -> None:
        if not fed.deliveries:
            fed.connection.when_read(lambda: handed_over.append(len(fed.deliveries)))
        fed.deliveries.append(delivery)

    fed.connection.set_delivery_callback(1, take)
    one = Method(1, Basic.Deliver("c", 1, False, "ex", "key")).marshal()
    one += Header(1, 2, BasicProperties()).marshal() + Body(1, b"{}").marshal()
    # When two come in one go, with what is no frame behind them,
    with pytest.raises(InvalidFrameError):
        fed.feed(2 * one + b"\x09\x00\x01\x00\x00\x00\x00\xce", [])
    # Then both are handed over, once.
    assert handed_over == [2]


def test_a_table_of_something_unknown_is_named_as_damage() -> None:
    # Given headers with a value of a kind that AMQP does not know
    pieces: list[bytes] = []
    encode_table(pieces, {"x": "y"})
    table = b"".join(pieces).replace(b"S", b"?")
    payload = frames.CONTENT_HEAD.pack(60, 0, 0) + frames.HEADERS.to_bytes(2, "big") + table
    # When they are read, Then the reason says so
    delivery = frames.RawDelivery(1, False, "key")
    delivery.add_frame(frames.HEADER, payload)
    assert delivery.damage is not None
    assert "cannot be read" in delivery.damage


def test_a_header_whose_name_is_no_text_is_damage() -> None:
    # Given a header named in bytes that are not UTF-8, which no client of ours would write
    pieces: list[bytes] = []
    encode_table(pieces, {"x": "y"})
    table = b"".join(pieces).replace(b"x", b"\xff", 1)
    payload = frames.CONTENT_HEAD.pack(60, 0, 0) + frames.HEADERS.to_bytes(2, "big") + table
    # When it is read, Then the reason says so: nobody after this has to reckon with such a name
    delivery = frames.RawDelivery(1, False, "an.exchange", "key")
    delivery.add_frame(frames.HEADER, payload)
    assert "header is not UTF-8" in (delivery.damage or "")
    assert delivery.properties.headers == {}


def delivered(body: bytes, part: int = 100_000) -> frames.RawDelivery:
    """A message as it comes: its header, and its body in parts."""
    delivery = frames.RawDelivery(1, False, "signup.submitted.v1")
    header = frames.CONTENT_HEAD.pack(frames.BASIC, 0, len(body)) + b"\0\0"
    delivery.add_frame(frames.HEADER, header)
    for start in range(0, len(body), part):
        delivery.add_frame(frames.BODY, body[start : start + part])
    return delivery


def test_a_body_that_no_memory_should_hold_is_let_go_with_its_size_and_hash() -> None:
    # Given bodies of which one is just small enough to be kept, and two are not
    kept = delivered(b"x" * frames.LARGEST_KEPT)
    large, other = (b"%b" % letter * (frames.LARGEST_KEPT + 1) for letter in (b"x", b"y"))
    # When they come, Then the first is whole,
    assert kept.complete
    assert len(kept.body) == frames.LARGEST_KEPT
    assert kept.damage is None
    # and of the others it is said what they were; two of them are not taken for one.
    for body in (large, other):
        delivery = delivered(body)
        assert delivery.complete
        assert delivery.body == b""
        assert str(len(body)) in str(delivery.damage)
        assert sha256(body).hexdigest() in str(delivery.damage)
    letters = {fingerprint(Incoming(b"", "k", damage=delivered(b).damage)) for b in (large, other)}
    assert len(letters) == 2
