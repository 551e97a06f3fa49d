"""Each event on the wire, as other systems write and read it: one golden file per event.

A golden file changes only when the contract does: a new optional field, or a new `.v2` beside it.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from infra.composition import topology
from infra.operations.contract.documents import asyncapi_document, schemas
from shared.base.errors import Malformed
from shared.events.envelope import CONTENT_TYPE
from shared.events.event import EVENTS
from shared.host.settings import Settings
from shared.messaging.bus import Incoming
from shared.processing import on
from shared.processing.decoding import open_message

GOLDEN = Path(__file__).parent / "golden"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.json"))


def golden(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text())
    return document


def structured(document: dict[str, Any]) -> Incoming:
    return Incoming(json.dumps(document).encode(), document["type"], CONTENT_TYPE)


def binary(document: dict[str, Any]) -> Incoming:
    headers = {
        f"cloudEvents:{name}": value
        for name, value in document.items()
        if name not in ("data", "datacontenttype")
    }
    body = json.dumps(document["data"]).encode()
    return Incoming(body, document["type"], "application/json", headers)


def test_every_event_has_its_golden_file_and_no_file_lacks_its_event() -> None:
    assert sorted(EVENTS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_an_event_reads_and_writes_as_its_golden_file_says(name: str) -> None:
    # Given an event as another system wrote it,
    document = golden(name)
    # When it is read, and said again,
    envelope = open_message(structured(document))
    event = EVENTS[name].model_validate(envelope.data)
    said_again = json.loads(envelope.to_bytes())
    # Then not a field was lost, added or changed: not in the letter, not on the envelope.
    assert event.model_dump(mode="json") == document["data"]
    assert said_again == document


@pytest.mark.parametrize("name", NAMES)
def test_binary_mode_is_read_as_the_same_event(name: str) -> None:
    document = golden(name)
    assert open_message(binary(document)) == open_message(structured(document))


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_event_satisfies_the_schema_that_we_hand_out(name: str) -> None:
    schema = schemas()[name]
    Draft202012Validator.check_schema(schema)
    checker = FormatChecker()
    Draft202012Validator(schema, format_checker=checker).validate(golden(name)["data"])


def payload(name: str) -> Draft202012Validator:
    """What the AsyncAPI document says of a message's body."""
    message = asyncapi_document(topology(Settings()))["components"]["messages"]
    described = message[name.replace(".", "_")]
    assert described["contentType"] == CONTENT_TYPE
    Draft202012Validator.check_schema(described["payload"])
    return Draft202012Validator(described["payload"], format_checker=FormatChecker())


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_document_is_a_message_as_asyncapi_describes_it(name: str) -> None:
    # Given an event as it goes over the wire: its envelope, with the facts inside,
    document = golden(name)
    # Then it is what the document for machines says,
    described = payload(name)
    described.validate(document)
    # and the facts alone are not, nor is another event, nor one that nobody could trace.
    assert not described.is_valid(document["data"])
    assert not described.is_valid(document | {"type": "signup.imagined.v1"})
    assert not described.is_valid(document | {"data": {}})
    for attribute in ("specversion", "id", "source", "type", "subject", "time", "data"):
        left = {key: value for key, value in document.items() if key != attribute}
        assert not described.is_valid(left), attribute


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("specversion", "0.3"),
        ("id", "42"),
        ("source", ""),
        ("subject", "a customer"),
        ("time", "yesterday"),
        ("datacontenttype", "text/xml"),
        ("causationid", 7),
        ("traceparent", "x" * 256),
    ],
)
def test_asyncapi_describes_an_envelope_as_strictly_as_it_is_read(
    attribute: str, value: object
) -> None:
    # Given an event with one attribute that cannot be read,
    document = golden("customer.released.v1") | {attribute: value}
    with pytest.raises(Malformed, match=attribute):
        open_message(structured(document))
    # Then the document for machines does not allow it either.
    assert not payload("customer.released.v1").is_valid(document)


@pytest.mark.parametrize("name", NAMES)
def test_a_field_of_a_newer_speaker_is_ignored(name: str) -> None:
    data = golden(name)["data"]
    assert EVENTS[name].model_validate(data | {"since_v1_7": 1}) == EVENTS[name].model_validate(
        data
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_required_field_that_is_missing_is_named(name: str) -> None:
    # Given an event without one of the fields that it must have,
    subscription = on(EVENTS[name], lambda _event: [])
    document = golden(name)
    for field, about in EVENTS[name].model_fields.items():
        if not about.is_required():
            continue
        data = {key: value for key, value in document["data"].items() if key != field}
        # When it is read, Then the refusal names the field.
        with pytest.raises(Malformed, match=field):
            subscription.read(open_message(structured(document | {"data": data})))
