"""What the inbox keeps of a message reads the same as the message did when it came."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.base.errors import Malformed
from shared.messaging.bus import Incoming
from shared.processing.decoding import open_message
from shared.processing.store.kept_messages import ascii_json, fingerprint, to_columns, to_incoming
from shared.processing.store.tables import Inbox

TYPE = "customer.released.v1"
ATTRIBUTES: dict[str, Any] = {
    "specversion": "1.0",
    "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "source": "/services/billing",
    "type": TYPE,
    "subject": "3f2c8a10-6b1d-4e57-9a44-0c5d7e9b1a01",
    "time": "2026-11-24T09:30:00Z",
}
BODY = json.dumps({"order_reference": "O-2026-000123", "revision": 3}).encode()

moments = st.datetimes() | st.datetimes(timezones=st.just(UTC))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text()
    | st.binary()
    | moments,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
"""Whatever an AMQP table may hold."""

texts = st.text(max_size=20) | st.text(alphabet="\0\\u0d�", max_size=20)
"""Any text, and often one that is or looks like NUL in JSON."""

names = st.sampled_from([*ATTRIBUTES, "causationid", "traceparent", "datacontenttype"])


def binary(**attributes: Any) -> Incoming:
    """A message in binary mode, whose attributes came as headers."""
    headers = {f"cloudEvents:{name}": value for name, value in attributes.items()}
    return Incoming(BODY, TYPE, "application/json", headers)


def kept(incoming: Incoming) -> Incoming:
    """The message as a retry gets it, from its row."""
    return to_incoming(Inbox(**to_columns(incoming)))


@pytest.mark.parametrize(
    "time",
    [
        datetime(2026, 11, 24, 9, 30, tzinfo=UTC),
        datetime(2026, 11, 24, 9, 30),
        b"2026-11-24T09:30:00Z",
    ],
)
def test_a_time_that_came_as_no_text_is_the_same_moment_at_the_retry(time: object) -> None:
    # Given a message whose time is a timestamp of AMQP, or bytes, When it is kept,
    again = open_message(kept(binary(**ATTRIBUTES | {"time": time})))
    # Then it is read again, as it was.
    assert again.time == datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def test_bytes_and_nothing_are_read_again_as_they_were() -> None:
    message = binary(**ATTRIBUTES | {"source": b"/services/billing", "causationid": None})
    assert open_message(kept(message)) == open_message(message)


@given(names, values | moments, st.dictionaries(st.text(max_size=20), values, max_size=3))
def test_what_was_read_the_first_time_reads_the_same_from_what_was_kept(
    name: str, value: Any, besides: dict[str, Any]
) -> None:
    # Given a message that could be read, whatever its headers are made of,
    message = binary(**besides | ATTRIBUTES | {name: value})
    try:
        first = open_message(message)
    except Malformed:
        return
    # When it is read from what was kept of it, Then it is the same.
    assert open_message(kept(message)) == first


@pytest.mark.parametrize("value", [float("nan"), Decimal("NaN"), Decimal("sNaN")])
def test_a_number_that_is_none_in_one_header_is_not_taken_for_two(value: object) -> None:
    # It is nobody's attribute that anything depends on, or is refused for what it is.
    assert open_message(binary(**ATTRIBUTES | {"weight": value})).id == ATTRIBUTES["id"]
    with pytest.raises(Malformed, match="subject"):
        open_message(binary(**ATTRIBUTES | {"subject": value}))


@given(st.dictionaries(texts, values, max_size=4), texts, texts)
@example({"\\u0000": None}, TYPE, "application/json")
@example({"\0": "\\\\\0\0\\u0000"}, "a\0b", "\\u0000\0")
def test_a_message_is_known_by_the_same_key_when_it_is_read_from_its_row(
    headers: dict[str, Any], routing_key: str, content_type: str
) -> None:
    message = Incoming(BODY, routing_key, content_type, headers)
    assert fingerprint(kept(message)) == fingerprint(message)


@given(texts)
@example("\\u0000")
@example("\0\\\\u0000\0\0")
def test_a_text_is_kept_as_it_is_but_for_nul(text: str) -> None:
    # Given a text that may look like JSON's way of writing NUL, When it is kept,
    again = json.loads(ascii_json({text: [text]}))
    # Then only what is NUL is another character.
    legible = text.replace("\0", "�")
    assert again == {legible: [legible]}
