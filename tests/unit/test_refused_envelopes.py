"""What arrives and is no event: it is refused, with words that say what is wrong with it."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.base.errors import Malformed
from shared.events.envelope import CONTENT_TYPE, MAX_BODY_BYTES
from shared.messaging.bus import Incoming
from shared.processing.decoding import open_message
from tests.unit.arrivals import ID, LETTER, TYPE, arriving


@pytest.mark.parametrize(
    "written", [ID[:-1], ID + "0", ID.replace("-", "_"), ID.replace("7", "７"), f"{{{ID}", "{}"]
)
def test_what_is_almost_an_id_is_none(written: str) -> None:
    with pytest.raises(Malformed, match="id must be a UUID"):
        open_message(arriving(LETTER | {"id": written}))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"specversion": None}, "specversion"),
        ({"id": "not-a-uuid"}, "id must be a UUID"),
        ({"id": 7}, "id must be a text"),
        ({"subject": None}, "subject"),
        ({"source": ""}, "source"),
        ({"source": "x" * 256}, "source"),
        ({"source": "/a\nb"}, "control character"),
        ({"type": None}, "type"),
        ({"time": "2026-11-24T09:30:00"}, "offset"),
        ({"time": "yesterday"}, "RFC 3339"),
        ({"time": None}, "RFC 3339"),
        ({"time": 20261124}, "RFC 3339"),
        ({"time": "2026-W48-2T09:30:00Z"}, "RFC 3339"),
        ({"time": "2026-11-24 09:30:00Z"}, "RFC 3339"),
        ({"time": "1999-12-31T23:59:59Z"}, "2000"),
        ({"source": "/a\x85b"}, "control character"),
        ({"source": "/a\u202eb"}, "control character"),
        ({"actor": "anna\u2066"}, "control character"),
        ({"time": "9999-12-31T23:59:59-23:59"}, "RFC 3339"),
        ({"data": None}, "data must be a JSON object"),
        ({"data": [1]}, "data must be a JSON object$"),
        ({"data": {"a": "nul\0"}}, "NUL"),
        ({"data_base64": "e30="}, "data_base64"),
        ({"datacontenttype": "text/xml"}, "datacontenttype"),
        ({"datacontenttype": "application/json+xml"}, "datacontenttype"),
        ({"datacontenttype": CONTENT_TYPE}, "datacontenttype"),
        ({"datacontenttype": ""}, "datacontenttype"),
        ({"datacontenttype": 5}, "datacontenttype"),
        ({"causationid": 5}, "causationid"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(Malformed, match=says):
        open_message(arriving(LETTER | changes))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"\xff\xfe", "JSON"),
        (b"[1, 2]", "JSON object"),
        (b'{"specversion": NaN}', "JSON"),
        (b"x" * (MAX_BODY_BYTES + 1), str(MAX_BODY_BYTES)),
    ],
)
def test_a_body_that_is_no_event_is_refused_with_the_reason(body: bytes, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        open_message(Incoming(body, TYPE, CONTENT_TYPE))


@pytest.mark.parametrize(
    "changes",
    [{"message_id": "9c9e6679-7425-40de-944b-e07fc1f90ae7"}, {"type": "customer.activated.v1"}],
)
def test_properties_that_contradict_the_event_are_refused(changes: dict[str, str]) -> None:
    with pytest.raises(Malformed, match="differ"):
        open_message(arriving(LETTER, **changes))


def test_an_unknown_content_type_says_what_to_send() -> None:
    with pytest.raises(Malformed, match=CONTENT_TYPE.replace("+", r"\+")):
        open_message(arriving(LETTER, content_type="text/xml"))


@given(st.binary(max_size=300), st.dictionaries(st.text(max_size=30), st.text() | st.integers()))
def test_whatever_arrives_is_read_or_refused_and_nothing_else(
    body: bytes, headers: dict[str, object]
) -> None:
    for content_type in (CONTENT_TYPE, "application/json", None):
        with pytest.raises(Malformed):
            open_message(Incoming(body, TYPE, content_type, headers))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([*LETTER, "causationid", "traceparent", "datacontenttype"]), JSON)
def test_an_attribute_may_hold_anything_and_the_reader_survives(name: str, value: Any) -> None:
    with contextlib.suppress(Malformed):
        assert open_message(arriving(LETTER | {name: value})).to_bytes()
