"""The envelope: what is read as an event, in every form in which clients write one."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.base.errors import Malformed
from shared.events.envelope import CONTENT_TYPE, NAMESPACE, Envelope, derived_id, read_document
from shared.messaging.bus import Incoming
from shared.processing.decoding import open_message
from tests.unit.arrivals import ID, LETTER, SUBJECT, TYPE, arriving


def test_what_we_write_is_what_we_read() -> None:
    # Given an event of ours,
    envelope = open_message(arriving(LETTER))
    # When it is written and read again, Then it is the same.
    assert open_message(Incoming(envelope.to_bytes(), TYPE, CONTENT_TYPE)) == envelope


def test_a_time_with_any_offset_is_the_same_moment_in_utc() -> None:
    envelope = open_message(arriving(LETTER | {"time": "2026-11-24T10:30:00+01:00"}))
    assert envelope.time == datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
    assert envelope.time.utcoffset() == timedelta(0)


def test_a_time_in_small_letters_is_read() -> None:
    envelope = open_message(arriving(LETTER | {"time": "2026-11-24t09:30:00z"}))
    assert envelope.time == datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def test_an_event_goes_out_in_utc_whatever_the_zone_it_was_made_in() -> None:
    amsterdam = timezone(timedelta(hours=1))
    envelope = Envelope(ID, "/x", TYPE, SUBJECT, datetime(2026, 11, 24, 10, 30, tzinfo=amsterdam))
    assert json.loads(envelope.to_bytes())["time"] == "2026-11-24T09:30:00Z"


AS_CLOUD_EVENTS_ALLOWS = [
    "application/json; charset=utf-8",  # Dapr's own.
    "application/json;charset=UTF-8",
    'Application/JSON ; Charset="utf-8"',
    "APPLICATION/JSON",
    "application/vnd.example.customer+json",
    None,
]
"""How `datacontenttype` may say that data are JSON (CloudEvents 1.0.2, JSON format 3.1)."""


@pytest.mark.parametrize("content_type", AS_CLOUD_EVENTS_ALLOWS)
def test_data_are_json_however_their_type_says_so(content_type: str | None) -> None:
    # Given a document whose data say that they are JSON, When any door reads it,
    document = LETTER | {"datacontenttype": content_type, "data_base64": None}
    # Then it is the event that it would be without.
    assert read_document(document) == open_message(arriving(LETTER))
    assert open_message(arriving(document)) == open_message(arriving(LETTER))


SAME_ID = [
    ID.replace("-", ""),
    ID.upper(),
    ID.replace("-", "").upper(),
    f"urn:uuid:{ID}",
    f"{{{ID.upper()}}}",
]
"""One id, as programs in other languages write it."""


@pytest.mark.parametrize("written", SAME_ID)
def test_an_id_is_the_same_id_however_it_is_written(written: str) -> None:
    # Given an event whose ids are written otherwise, in the document and in the property,
    document = LETTER | {"id": written, "causationid": written}
    # When it is read, Then inbox and history know it by the one form.
    for message_id in (written, ID, None):
        envelope = open_message(arriving(document, message_id=message_id))
        assert (envelope.id, envelope.causationid) == (ID, ID)
    assert open_message(arriving(LETTER, message_id=written)).id == ID


@pytest.mark.parametrize(
    "content_type",
    [CONTENT_TYPE, f"{CONTENT_TYPE}; charset=utf-8", CONTENT_TYPE.upper(), "application/JSON",
     "application/vnd.example+json", None, ""],
)  # fmt: skip
def test_a_structured_event_is_read_also_when_its_type_is_written_otherwise(
    content_type: str | None,
) -> None:
    assert open_message(arriving(LETTER, content_type=content_type)).id == ID


@pytest.mark.parametrize(
    "prefix", ["cloudEvents:", "cloudEvents_", "CloudEvents:", "cloudevents_", "ce-", "CE-"]
)
def test_a_binary_event_is_read_from_its_headers(prefix: str) -> None:
    # Given the attributes as headers, some of them as bytes, and the fields as the body,
    headers = {f"{prefix}{name}": value for name, value in LETTER.items() if name != "data"}
    headers[f"{prefix}source"] = b"/services/billing"
    arrived = arriving(LETTER["data"], content_type="application/json", headers=headers)
    # When it is read, Then it is the event that the structured document would be.
    assert open_message(arrived) == open_message(arriving(LETTER))


def test_two_headers_for_one_attribute_must_agree() -> None:
    headers = {f"cloudEvents:{name}": value for name, value in LETTER.items() if name != "data"}
    again = arriving(LETTER["data"], content_type="application/json")
    # Given an attribute that a gateway has written once more, When it is the same, Then that is
    # fine; when it is not, nobody can know which is meant.
    assert open_message(replace(again, headers={**headers, "CE-ID": ID})).id == ID
    with pytest.raises(Malformed, match="two headers for the attribute source differ"):
        open_message(replace(again, headers={**headers, "ce-source": "/services/signup"}))


def test_a_header_of_somebodys_tracing_makes_no_binary_event() -> None:
    arrived = arriving(LETTER, content_type="application/json", headers={"ce-traceparent": "00-x"})
    assert open_message(arrived) == open_message(arriving(LETTER))


def test_a_repeat_says_the_same_and_two_services_never_do() -> None:
    # Given one message that two services hear,
    # When each derives the ids of what it says,
    ids = {
        derived_id(service, ID, word) for service in ("billing", "activation") for word in (0, 1)
    }
    # Then all four differ, and a repeat gives the same.
    assert len(ids) == 4
    assert derived_id("billing", ID, 0) == derived_id("billing", ID, 0)


@given(st.uuids(), st.integers(0, 99) | st.just("later"))
def test_an_id_that_we_derive_is_the_uuid_of_its_name(cause: UUID, position: int | str) -> None:
    named = uuid5(NAMESPACE, f"billing/{cause}/{position}")
    assert derived_id("billing", str(cause), position) == str(named)


def test_equal_facts_have_one_digest_however_they_were_written() -> None:
    # Given one event twice, with its fields in another order and another id and time,
    turned = dict(reversed(LETTER["data"].items()))
    again = LETTER | {"data": turned, "id": SUBJECT, "time": "2026-12-01T00:00:00Z"}
    # When their contents are compared, Then they are the same fact;
    assert open_message(arriving(again)).digest() == open_message(arriving(LETTER)).digest()
    # another revision is another.
    other = LETTER | {"data": {"order_reference": "O-2026-000123", "revision": 4}}
    assert open_message(arriving(other)).digest() != open_message(arriving(LETTER)).digest()


@pytest.mark.parametrize("prefix", ["cloudEvents:", "cloudEvents_", "ce-"])
@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON; charset=utf-8", "application/x+json", None],
)
def test_binary_mode_is_read_as_each_client_writes_it(
    prefix: str, content_type: str | None
) -> None:
    # Given an event whose attributes come as headers, the time as AMQP has it,
    headers: dict[str, object] = {
        f"{prefix}{name}": value for name, value in LETTER.items() if name != "data"
    }
    headers[f"{prefix}time"] = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
    # When it is read, Then it is the same as in one document.
    body = json.dumps(LETTER["data"]).encode()
    incoming = Incoming(body, TYPE, content_type, headers)
    assert open_message(incoming) == open_message(arriving(LETTER))


@pytest.mark.parametrize(
    ("media_type", "reads"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("Application/JSON", True),
        ("application/vnd.website+json", True),
        ("application/xml", False),
        ("application/cloudevents+json", False),
        ("json", False),
        (7, False),
    ],
)
def test_data_are_json_by_whatever_name_json_goes(media_type: object, reads: bool) -> None:
    message = arriving(LETTER | {"datacontenttype": media_type})
    if reads:
        assert open_message(message).id == ID
    else:
        with pytest.raises(Malformed, match="datacontenttype"):
            open_message(message)
