"""The contract's table of events, word for word: who says each, who hears it, what it carries."""

from typing import Any

import pytest

from infra.composition import topology
from infra.operations.contract.documents import asyncapi_document
from shared.events.event import EVENTS
from shared.host.settings import Settings

SIGNUP, REGISTRATION, BILLING, ACTIVATION = "signup", "registration", "billing", "activation"
KING = "king-billing"
WHO = "customer office package payer"

CONTRACT: dict[str, tuple[str, set[str], str]] = {
    "signup.submitted.v1": (
        "website",
        {SIGNUP},
        "office_code customer package payer preferred_channel terms remarks?",
    ),
    "signup.accepted.v1": (
        SIGNUP,
        {REGISTRATION, ACTIVATION},
        f"reference {WHO} preferred_channel warnings",
    ),
    "signup.rejected.v1": (SIGNUP, {ACTIVATION}, "office_code? company? errors"),
    "registration.completed.v1": (
        REGISTRATION,
        {SIGNUP, BILLING, ACTIVATION},
        f"customer_number {WHO}",
    ),
    "registration.declined.v1": (REGISTRATION, {SIGNUP, ACTIVATION}, "reason"),
    "administration.created.v1": (
        REGISTRATION,
        {ACTIVATION},
        "administration_number name copied_from access_granted",
    ),
    "administration.failed.v1": (REGISTRATION, {ACTIVATION}, "reason"),
    "order.confirmation_sent.v1": (
        BILLING,
        {ACTIVATION},
        "order_reference document_sha256 sent_to copied_to",
    ),
    "order.confirmation_signed.v1": (
        BILLING,
        {ACTIVATION},
        "order_reference method signed_on received_at revision?",
    ),
    "order.signature_withdrawn.v1": (
        BILLING,
        {ACTIVATION},
        "order_reference reason revision",
    ),
    "collection.requested.v1": (
        BILLING,
        {KING},
        "order_reference mandate end_to_end_id attempt amount_cents currency collect_on",
    ),
    "collection.cancelled.v1": (BILLING, {KING}, "order_reference end_to_end_id reason"),
    "collection.result.v1": (
        KING,
        {BILLING},
        "order_reference end_to_end_id attempt amount_cents currency status reason_code? "
        "occurred_at",
    ),
    "collection.booked.v1": (
        BILLING,
        {ACTIVATION},
        "order_reference end_to_end_id attempt status reason_code? held revision",
    ),
    "customer.released.v1": (BILLING, {ACTIVATION}, "order_reference revision"),
    "customer.release_withdrawn.v1": (
        BILLING,
        {ACTIVATION},
        "order_reference revision reason_code cause",
    ),
    "customer.activated.v1": (
        ACTIVATION,
        {SIGNUP},
        "login_name channel activated_by expires_at",
    ),
    "customer.logged_in.v1": (ACTIVATION, {SIGNUP}, "login_name first_login_at"),
    "customer.contact_changed.v1": (ACTIVATION, {SIGNUP, BILLING}, "email? mobile?"),
    "onboarding.withdrawn.v1": (SIGNUP, {REGISTRATION, BILLING, ACTIVATION}, "reason by"),
}
HAVE_A_DEFAULT = {"warnings", "currency"}
"""They always travel, though a speaker in our own code need not name them."""


def test_the_language_has_the_events_of_the_contract_and_no_others() -> None:
    assert set(EVENTS) == set(CONTRACT)


@pytest.mark.parametrize("name", CONTRACT)
def test_an_event_is_said_and_heard_by_whom_the_contract_names(name: str) -> None:
    speaker, listeners, _fields = CONTRACT[name]
    assert EVENTS[name].said_by == speaker
    assert set(topology(Settings()).subscribers(name)) == listeners


@pytest.mark.parametrize("name", CONTRACT)
def test_an_event_carries_the_fields_of_the_contract(name: str) -> None:
    # Given the fields as the contract lists them, optional ones with a question mark,
    fields = CONTRACT[name][2].split()
    # When they are compared with the event's own,
    own = {
        field if about.is_required() or field in HAVE_A_DEFAULT else f"{field}?"
        for field, about in EVENTS[name].model_fields.items()
    }
    # Then none is missing and none is beside.
    assert own == set(fields)


def test_no_event_can_carry_a_password_a_birthday_or_a_citizen_number() -> None:
    # Given the names of all fields of all events, those of shared shapes among them,
    names = {
        field
        for event in EVENTS.values()
        for schema in (event.model_json_schema(),)
        for shape in (schema, *schema.get("$defs", {}).values())
        for field in shape.get("properties", {})
    }
    # When secrets are looked for, Then no field is there that could hold one.
    assert "company" in names
    for forbidden in ("password", "birth", "bsn", "secret"):
        assert [name for name in names if forbidden in name] == []


def test_the_asyncapi_document_tells_the_same_and_its_references_lead_somewhere() -> None:
    # Given the document for machines,
    document = asyncapi_document(topology(Settings()))
    # When all its references are followed, those in the schemas too,
    for reference in references(document):
        part_of_it: Any = document
        for part in reference.removeprefix("#/").split("/"):
            assert part in part_of_it, reference
            part_of_it = part_of_it[part]
        # Then each leads to something,
        assert part_of_it
    # and every listener of the contract hears there what he should.
    for name, (speaker, listeners, _fields) in CONTRACT.items():
        key = name.replace(".", "_")
        assert f"{speaker}_says_{key}" in document["operations"]
        for listener in listeners:
            assert f"{listener}_hears_{key}" in document["operations"]


def test_the_asyncapi_document_tells_where_each_speaks_and_what_king_may_believe() -> None:
    # Given the document for machines, When the exchange of each event is read,
    document = asyncapi_document(topology(Settings()))
    exchanges = {
        channel["address"]: channel["bindings"]["amqp"]["exchange"]["name"]
        for channel in document["channels"].values()
    }
    # Then outside speakers have one of their own, and all others that of the services;
    own = {
        "signup.submitted.v1": "stappenplan.website.{office}",
        "collection.result.v1": "stappenplan.king-billing",
    }
    assert exchanges == {name: own.get(name, "stappenplan.events") for name in CONTRACT}
    # and KING is told by what it knows a true request.
    for name in ("collection_requested_v1", "collection_cancelled_v1"):
        told = document["operations"][f"king-billing_hears_{name}"]["description"]
        assert "stappenplan.events" in told
        assert "user_id is billing" in told


def references(value: Any) -> list[str]:
    """Every reference in a document, wherever it stands."""
    if isinstance(value, list):
        return [reference for item in value for reference in references(item)]
    if not isinstance(value, dict):
        return []
    own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
    return own + [reference for item in value.values() for reference in references(item)]
