"""Messages that nobody should send, as bytes on the wire: what somebody will send all the same.

Everything is written by hand, since a client library would refuse to write most of it.
"""

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from shared.events.envelope import CONTENT_TYPE

GOLDEN = Path(__file__).parents[1] / "contract" / "golden"
DOCUMENTS: list[dict[str, Any]] = [
    json.loads(path.read_text()) for path in sorted(GOLDEN.glob("*.json"))
]
Document = dict[str, Any]

# Values.

ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=30)
"""Lone surrogates and NUL included."""

ODD_TEXTS = st.sampled_from(
    [
        "", " ", "\0", "a\0b", "\x1b[2J\x1b]0;mine\x07", "\x9b31m", "\u202egnirts", "\ud800",
        "x" * 300, "x" * 70_000, "é" * 255, "0000-00-00", "0000-00-00T00:00:00Z",
        "2026-02-30T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00", "2026-11-24T09:30:00+99:99", "2026-11-24", "1732440600",
        "NL00XXXX0000000000", "NL91ABNA0417164300" * 3, "-1", "1e400", "null", "true", "[]",
        "../../etc/passwd", "'; DROP TABLE inbox; --", "{{ 7 * 7 }}", "{% include x %}",
        "<script>alert(1)</script>", "a@b", "@", "a" * 64 + "@" + "b" * 250 + ".nl", "+", "+31",
        "urn:uuid:7c9e6679-7425-40de-944b-e07fc1f90ae7", "{7c9e6679742540de944be07fc1f90ae7}",
        "7C9E6679-7425-40DE-944B-E07FC1F90AE7", "٣" * 8, "１２３４５６７８",
    ]
)  # fmt: skip
NUMBERS = (
    st.integers()
    | st.sampled_from([0, -1, 2**31, 2**63, -(2**63) - 1, 10**400, -(10**4300) // 9])
    | st.floats()
)
PLAIN = st.none() | st.booleans() | NUMBERS | ANY_TEXT | ODD_TEXTS
NESTED = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4)
)


@st.composite
def deep(draw: st.DrawFn) -> Any:
    """Lists or objects within each other, up to what a reader may take."""
    value: Any = draw(PLAIN)
    kind = draw(st.booleans())
    for _ in range(draw(st.sampled_from([3, 100, 190]))):
        value = [value] if kind else {"a": value}
    return value


VALUES = PLAIN | NESTED | deep()

# Documents.


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to everything in a document."""
    found = [path] if path else []
    inner = value.items() if isinstance(value, dict) else ()
    for key, item in [*inner, *(enumerate(value) if isinstance(value, list) else ())]:
        found += _places(item, (*path, key))
    return found


@st.composite
def mutated(draw: st.DrawFn, documents: Sequence[Document] = DOCUMENTS) -> Document:
    """A golden example with something in it replaced, left out or put in beside."""
    document: Document = json.loads(json.dumps(draw(st.sampled_from(documents))))
    document["id"], document["subject"] = str(draw(st.uuids())), str(draw(st.uuids()))
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(_places(document)))
        room: Any = document
        for step in way:
            room = room[step]
        deed = draw(st.sampled_from(["replace", "replace", "replace", "drop", "beside"]))
        if deed == "replace":
            room[last] = draw(VALUES)
        elif deed == "drop":
            del room[last]
        elif isinstance(room, dict):
            room[draw(ANY_TEXT)] = draw(VALUES)
    return document


def written_as_json(document: Any, draw: st.DrawFn) -> bytes:
    """The document as JSON: escaped or not, in a charset that is right or not."""
    plain = json.dumps(document, ensure_ascii=draw(st.booleans()))
    charset = draw(st.sampled_from(["utf-8"] * 8 + ["utf-8-sig", "utf-16", "utf-32", "latin-1"]))
    # "surrogatepass" writes what UTF-8 forbids; Latin-1 cannot, and leaves question marks.
    return plain.encode(charset, "replace" if charset == "latin-1" else "surrogatepass")


@st.composite
def spoilt(draw: st.DrawFn, bodies: SearchStrategy[bytes]) -> bytes:
    """A body that was cut short, has a byte flipped, or its first member twice."""
    body = bytearray(draw(bodies))
    at = draw(st.integers(0, max(len(body) - 1, 0)))
    match draw(st.sampled_from(["cut", "flip", "twice"])):
        case "cut":
            del body[at:]
        case "flip" if body:
            body[at] ^= 1 << draw(st.integers(0, 7))
        case "twice":
            body[:1] = b'{"id": "another", "data": {}, "type": NaN, '
    return bytes(body)


RAW = (
    st.binary(max_size=200)
    | st.sampled_from([b"", b"null", b"[]", b"{}", b"NaN", b"-Infinity", b'"\\ud800"', b"\0"])
    | st.sampled_from([10, 199, 201, 100_000]).map(lambda depth: b"[" * depth + b"]" * depth)
    | st.sampled_from([10, 100_000]).map(lambda depth: b'{"data":' * depth)
    | st.sampled_from([4300, 4301, 500_000]).map(lambda digits: b'{"id":' + b"9" * digits + b"}")
    | st.just(b'{"remarks":"' + b"x" * (1 << 20) + b'"}')
)

# AMQP: properties and headers, written as bytes (AMQP 0-9-1, 4.2.5).

SHORT = st.sampled_from(
    [b"", b"application/json", CONTENT_TYPE.encode(), b"text/xml", b"application/json; charset=x",
     b"\0", b"\xff\xfe", b"\x1b[31m", b"x" * 255, "é".encode() * 127]
) | st.binary(max_size=60)  # fmt: skip


def _short(text: bytes) -> bytes:
    return bytes([len(text)]) + text


def _long(text: bytes) -> bytes:
    return struct.pack(">L", len(text)) + text


FIELDS: SearchStrategy[bytes] = st.recursive(
    st.one_of(
        st.binary(max_size=80).map(lambda text: b"S" + _long(text)),
        st.sampled_from([b"1.0", b"x" * 60_000, b"\0", b"\xff"]).map(
            lambda value: b"S" + _long(value)
        ),
        st.binary(max_size=20).map(lambda text: b"x" + _long(text)),
        st.booleans().map(lambda yes: b"t" + bytes([yes])),
        st.integers(-(2**31), 2**31 - 1).map(lambda value: b"I" + struct.pack(">i", value)),
        st.integers(-(2**63), 2**63 - 1).map(lambda value: b"l" + struct.pack(">q", value)),
        st.integers(0, 2**64 - 1).map(lambda value: b"T" + struct.pack(">Q", value)),
        st.floats().map(lambda value: b"d" + struct.pack(">d", value)),
        st.integers(-(2**31), 2**31 - 1).map(lambda value: b"D\xff" + struct.pack(">i", value)),
        st.just(b"V"),
    ),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: b"A" + _long(b"".join(items)))
        | st.dictionaries(st.binary(max_size=10), inner, max_size=3).map(
            lambda items: b"F" + _table(items)
        )
    ),
    max_leaves=8,
)
"""The value of a header: any kind that AMQP knows."""

ATTRIBUTES = ("specversion", "id", "source", "type", "subject", "time", "traceparent", "dataschema")
NAMES = st.sampled_from(
    [f"{prefix}{name}".encode() for prefix in ("cloudEvents:", "cloudEvents_")
     for name in (*ATTRIBUTES, "myextension", "data")]
    + [b"", b"x-death", b"x-delivery-count", b"cloudEvents:\xff", b"\xff\xfe", b"\0"]
) | st.binary(max_size=20)  # fmt: skip


def _table(items: dict[bytes, bytes]) -> bytes:
    return _long(b"".join(_short(name) + value for name, value in items.items()))


@st.composite
def nested_tables(draw: st.DrawFn) -> bytes:
    """A table in a table in a table."""
    value = draw(FIELDS)
    for _ in range(draw(st.sampled_from([5, 100, 1500]))):
        value = b"F" + _table({b"a": value})
    return value


HEADERS = st.dictionaries(NAMES, FIELDS | nested_tables(), max_size=5)

Part = tuple[int, bytes]
"""The flag of a property, and what stands for it."""

CONTENT_TYPES, ENCODING, TABLE = 1 << 15, 1 << 14, 1 << 13
SHORTS = (1 << 10, 1 << 9, 1 << 8, 1 << 7, 1 << 5, 1 << 3)
"""Correlation id, reply to, expiration, message id, type, application. Not the user: the broker
vouches for him."""


@st.composite
def properties(draw: st.DrawFn, headers: SearchStrategy[dict[bytes, bytes]]) -> bytes:
    """Properties in the order of their flags, odd ones among them, or none at all."""
    parts: list[Part] = []
    if draw(st.integers(0, 3)):
        parts.append((CONTENT_TYPES, _short(draw(SHORT))))
    if draw(st.integers(0, 5)) == 0:
        parts.append((ENCODING, _short(draw(SHORT))))
    if items := draw(headers):
        parts.append((TABLE, _table(items)))
    parts += [(flag, _short(draw(SHORT))) for flag in SHORTS if draw(st.integers(0, 9)) == 0]
    if draw(st.integers(0, 9)) == 0:
        parts.append((1 << 6, draw(st.binary(min_size=8, max_size=8))))
    return written(parts)


def written(parts: list[Part]) -> bytes:
    """The properties as bytes."""
    ordered = sorted(parts, reverse=True)
    flags = sum(flag for flag, _ in ordered)
    return flags.to_bytes(2, "big") + b"".join(value for _, value in ordered)


def proper(content_type: str = CONTENT_TYPE, headers: dict[bytes, bytes] | None = None) -> bytes:
    """Properties as a good client writes them."""
    parts = [(CONTENT_TYPES, _short(content_type.encode()))]
    return written([*parts, (TABLE, _table(headers))] if headers else parts)


# Whole messages.


class Hostile:
    """One message: its routing key, its properties as bytes, its body."""

    def __init__(self, routing_key: str, properties: bytes, body: bytes) -> None:
        self.routing_key = routing_key
        self.properties = properties
        self.body = body

    def __repr__(self) -> str:
        return f"Hostile({self.routing_key!r}, {self.properties[:300]!r}, {self.body[:600]!r})"


def _type_of(document: Document) -> str:
    """The routing key that belongs to it, as far as it says one that exists."""
    types = {document["type"] for document in DOCUMENTS}
    claimed = document.get("type")
    known = isinstance(claimed, str) and claimed in types
    return str(claimed) if known else "signup.submitted.v1"


@st.composite
def structured(draw: st.DrawFn) -> Hostile:
    """A mutated golden example, in structured mode."""
    document = draw(mutated())
    return Hostile(_type_of(document), proper(), written_as_json(document, draw))


@st.composite
def in_binary_mode(draw: st.DrawFn) -> Hostile:
    """A mutated golden example with its attributes as headers, whatever became of them."""
    document = draw(mutated())
    headers = {
        f"cloudEvents:{name}".encode("utf-8", "replace")[:255]: _as_field(value)
        for name, value in document.items()
        if name != "data"
    }
    if draw(st.booleans()):
        headers |= draw(HEADERS)
    body = written_as_json(document.get("data"), draw)
    return Hostile(_type_of(document), proper("application/json", headers), body)


def _as_field(value: Any) -> bytes:
    text = value if isinstance(value, str) else json.dumps(value)
    return b"S" + _long(text.encode("utf-8", "surrogatepass")[:60_000])


@st.composite
def rubbish(draw: st.DrawFn) -> Hostile:
    """Any properties with any body, or a spoilt one that was good."""
    good = st.sampled_from(DOCUMENTS).map(lambda value: json.dumps(value).encode())
    body = draw(RAW | spoilt(good))
    key = draw(st.sampled_from([document["type"] for document in DOCUMENTS]))
    return Hostile(key, draw(properties(HEADERS) | st.just(proper())), body)


MESSAGES: SearchStrategy[Hostile] = structured() | in_binary_mode() | rubbish()
"""All there is."""
