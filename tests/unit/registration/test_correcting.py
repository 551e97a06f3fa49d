"""AANMELDEN: what the office corrects of a sign-up before it decides."""

from typing import Any

import pytest

from services.registration.commands import CorrectSignup, RegisterCustomer
from shared.base.errors import Conflict, Invalid
from shared.events import AdministrationCreated, RegistrationCompleted
from tests.unit.activation.harness import flagged, signed_up
from tests.unit.registration.test_registering import NO, WITHDRAWN, YES, RegistrationHarness

IBAN = "NL91ABNA0417164300"


def correction(**parts: Any) -> CorrectSignup:
    return CorrectSignup(by="anna", fields=("customer.company",), **parts)


def test_a_correction_goes_into_the_registration() -> None:
    # Given a sign-up with mistakes in it,
    service = RegistrationHarness(flagged())
    # When the office corrects some fields of each part, and registers the customer,
    service.ask(
        correction(
            customer={"company": "Bakkerij  De Korenaar", "address": {"city": "Utrecht"}},
            package={"code": "compleet"},
            payer={"kind": "other", "name": "P. Aler", "email": "p@aler.example", "iban": IBAN},
        )
    )
    heard = service.ask(YES)
    # Then what was corrected is registered, and what was not is as it was.
    completed = heard.one(RegistrationCompleted)
    before = flagged()
    assert completed.customer.company == "Bakkerij De Korenaar"
    assert completed.customer.address.city == "Utrecht"
    assert completed.customer.address.street == before.customer.address.street
    assert completed.customer.email == before.customer.email
    assert completed.package.code == "compleet"
    assert (completed.payer.kind, completed.payer.iban) == ("other", IBAN)
    assert heard.one(AdministrationCreated).name == "Bakkerij De Korenaar"


def test_it_is_on_record_who_corrected_it_and_when() -> None:
    service = RegistrationHarness(flagged())
    service.ask(correction(customer={"company": "Slagerij"}))
    assert service.registration.corrected_by == "anna"
    assert service.registration.corrected_at == service.now


def test_corrections_add_up_and_null_takes_a_field_away() -> None:
    service = RegistrationHarness(flagged())
    service.ask(correction(customer={"company": "Slagerij", "kvk": "12345678"}))
    service.ask(correction(customer={"kvk": None, "mobile": "06 12345679"}))
    customer = service.registration.signup().customer
    assert (customer.company, customer.kvk, customer.mobile) == ("Slagerij", None, "+31612345679")


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"customer": {"company": " \u00a0 "}}, "customer.company"),
        ({"customer": {"company": None}}, "customer.company"),
        ({"customer": {"kvk": "1234"}}, "customer.kvk"),
        ({"customer": {"email": "bakker"}}, "customer.email"),
        ({"customer": {"mobile": "050 3123456"}}, "customer.mobile"),
        ({"customer": {"vat_id": "NL1"}}, "customer.vat_id"),
        ({"customer": {"vat_id": "NL111222333B01"}}, "customer.vat_id"),
        ({"customer": {"contact": {"last_name": ""}}}, "customer.contact.last_name"),
        ({"payer": {"iban": "NL00ABNA0417164300"}}, "payer.iban"),
        ({"payer": {"iban": "…4300"}}, "payer.iban"),
        ({"payer": {"kind": "other"}}, "payer.name"),
        ({"package": {"code": "gratis"}}, "package.code"),
        ({"package": {"modules": ["maan"]}}, "package.modules.0"),
    ],
)
def test_a_correction_obeys_the_rules_of_a_signup(parts: dict[str, Any], field: str) -> None:
    # Given a sign-up that is in order, When it is to become one that is not,
    service = RegistrationHarness(flagged())
    before = service.registration.model_dump()
    with pytest.raises(Invalid) as refusal:
        service.ask(correction(**parts))
    # Then the field is named, what was entered is not repeated, and nothing has changed.
    assert refusal.value.errors[0].field == field
    assert "111222333" not in str([error.message for error in refusal.value.errors])
    assert service.registration.model_dump() == before


@pytest.mark.parametrize("kind", ["office", "other"])
def test_where_another_pays_nothing_stays_of_who_was_to_pay(kind: str) -> None:
    # Given a customer who would pay from an account of their own,
    service = RegistrationHarness(flagged())
    theirs = {"iban": IBAN, "account_holder": "K. Lant", "name": "K. Lant", "email": "k@l.example"}
    service.ask(correction(payer=theirs))
    # When the office corrects who pays, and names what it knows of them,
    named = {"name": "P. Aler", "email": "p@aler.example"} if kind == "other" else {}
    service.ask(correction(payer={"kind": kind, **named}))
    # Then the customer's account is not collected from: it is in nobody else's name.
    payer = service.registration.signup().payer
    assert payer.model_dump(exclude_none=True) == {"kind": kind, **named}


def test_the_same_payer_named_again_keeps_the_account() -> None:
    service = RegistrationHarness(flagged())
    service.ask(correction(payer={"iban": IBAN}))
    service.ask(correction(payer={"kind": "customer", "account_holder": "K. Lant"}))
    payer = service.registration.signup().payer
    assert (payer.iban, payer.account_holder) == (IBAN, "K. Lant")


def test_who_is_to_be_texted_keeps_a_mobile_number() -> None:
    service = RegistrationHarness(signed_up(preferred_channel="sms", warnings=flagged().warnings))
    with pytest.raises(Invalid) as refusal:
        service.ask(correction(customer={"mobile": None}))
    assert refusal.value.errors[0].code == "mobile_needed"


@pytest.mark.parametrize(
    ("decision", "state"), [(YES, "registered"), (NO, "declined"), (WITHDRAWN, "withdrawn")]
)
def test_what_was_decided_is_not_corrected_any_more(decision: Any, state: str) -> None:
    # Given a sign-up that was decided, or withdrawn,
    service = RegistrationHarness(flagged())
    _ = service.hear(decision) if decision is WITHDRAWN else service.ask(decision)
    # When somebody corrects it, rightly or wrongly, Then they are told what became of it.
    for company in ("Slagerij", ""):
        with pytest.raises(Conflict) as refusal:
            service.ask(correction(customer={"company": company}))
        assert refusal.value.extra["state"] == state


def test_a_corrected_signup_that_is_heard_again_changes_nothing() -> None:
    # Given a sign-up that was corrected, When the sign-up comes once more, as it was,
    service = RegistrationHarness(flagged())
    service.ask(correction(customer={"company": "Slagerij"}))
    assert service.hear(flagged()) == []
    # Then it is not taken for one of other contents, and the correction stays.
    assert service.registration.signup().customer.company == "Slagerij"
    service.ask(RegisterCustomer(by="anna"))
