"""INSCHRIJVEN: accepted or rejected, repeats, likely duplicates, withdrawals."""

from datetime import UTC, datetime

import pytest

from services.signup.commands import PutOffice, Withdraw
from services.signup.models import Office, Signup
from shared.base.errors import Conflict, NotFound, Reject
from shared.events import (
    CustomerLoggedIn,
    OnboardingWithdrawn,
    RegistrationDeclined,
)
from tests.unit.signup.harness import (
    EXAMPLES,
    SignupHarness,
    accepted,
    changed,
    errors,
    example,
    mails,
)

VALID = sorted(path.stem for path in EXAMPLES.glob("*.json") if "fout" not in path.name)
INVALID = {
    "91-fout-kvk": "customer.kvk",
    "92-fout-bsn-als-btw-id": "customer.vat_id",
    "93-fout-vast-nummer-voor-sms": "customer.mobile",
    "94-fout-onbekend-pakket": "package.code",
    "95-fout-onbekend-kantoor": "office_code",
    "96-fout-voorwaarden-niet-aanvaard": "terms.accepted_at",
}
LOGGED_IN = CustomerLoggedIn(
    login_name="bakkerij", first_login_at=datetime(2026, 12, 1, tzinfo=UTC)
)


def codes(service: SignupHarness, data: dict[str, object], about: str) -> list[str]:
    return [warning.code for warning in accepted(service.submit(data, about)).warnings]


@pytest.mark.parametrize("name", VALID)
def test_a_right_signup_is_accepted_and_customer_and_office_are_told(name: str) -> None:
    # Given a customer whose form is in order, When a website sends it,
    effects = SignupHarness().submit(example(name))
    # Then it is accepted with a reference for people, and both get a mail.
    event = accepted(effects)
    assert event.reference == "S-2026-000001"
    assert mails(effects) == [
        ("signup_received", event.customer.email),
        ("signup_received_office", "k@linde.example"),
    ]


@pytest.mark.parametrize("name", INVALID)
def test_a_wrong_signup_is_rejected_with_its_fields(name: str) -> None:
    # Given a customer whose form is not in order, When a website sends it,
    effects = SignupHarness().submit(example(name))
    # Then the field at fault is named, and they are told what to do.
    assert INVALID[name] in errors(effects)
    assert [kind for kind, _ in mails(effects)] == ["signup_incomplete"]


def test_a_website_that_says_it_twice_signs_up_one_customer() -> None:
    service = SignupHarness()
    service.submit(example())
    assert service.submit(example()) == []
    assert len(service.rows(Signup)) == 1


def test_an_onboarding_id_that_belongs_to_another_is_refused_and_the_other_untouched() -> None:
    # Given a customer, When another form comes under their id,
    service = SignupHarness()
    service.submit(example())
    with pytest.raises(Reject, match="other contents"):
        service.submit(changed(customer__company="Slagerij"))
    # Then they stay who they were.
    assert service.signup().acceptance().customer.company == "Bakkerij De Korenaar"


def test_a_website_cannot_sign_up_for_another_office() -> None:
    with pytest.raises(Reject, match="/website/0042"):
        SignupHarness().submit(example(), source="/website/0077")


@pytest.mark.parametrize("other", ["0077", "9999"])
def test_a_rejected_signup_keeps_its_office(other: str) -> None:
    # Given a sign-up of one office that was rejected,
    service = SignupHarness()
    service.submit(example("91-fout-kvk"))
    # When another office's comes under its id, Then that is refused;
    with pytest.raises(Reject, match="another office"):
        service.submit(changed(office_code=other))
    assert service.signup().office_code == "0042"
    # a corrected one of its own takes its place.
    assert accepted(service.submit(example())).office.code == "0042"


@pytest.mark.parametrize(
    "again",
    [
        {"customer__company": "Andere Naam", "customer__email": "ander@adres.example"},
        {"customer__kvk": "0123.4567", "customer__email": "ander@adres.example"},
        {"customer__kvk": None},
        {"customer__kvk": None, "customer__company": "BAKKERIJ  de Korenaar"},
    ],
)
def test_a_second_signup_of_one_company_is_flagged(again: dict[str, object]) -> None:
    # Given a company that is on its way, When it signs up again for the same package, known by
    # its KvK number, or by name and e-mail address,
    service = SignupHarness()
    service.submit(example())
    (warning,) = [
        warning
        for warning in accepted(service.submit(changed(**again), "tweede")).warnings
        if warning.code == "likely_duplicate"
    ]
    # Then the office is asked to look, and sees which one it resembles.
    assert warning.needs_review
    assert "S-2026-000001" in warning.text


@pytest.mark.parametrize(
    "other",
    [
        {"package__code": "compleet"},
        {"customer__kvk": "87654321", "customer__email": "ander@adres.example"},
        {"customer__kvk": "87654321", "customer__company": "Andere Naam"},
    ],
)
def test_another_package_or_company_is_no_duplicate(other: dict[str, object]) -> None:
    # An IBAN, an address and a mobile number may be shared.
    service = SignupHarness()
    service.submit(example())
    assert "likely_duplicate" not in codes(service, changed(**other), "tweede")


def test_another_offices_customer_is_no_duplicate() -> None:
    service = SignupHarness()
    service.submit(example())
    assert "likely_duplicate" not in codes(service, changed(office_code="0077"), "tweede")


@pytest.mark.parametrize("closed", ["declined", "logged in", "withdrawn"])
def test_what_is_no_longer_under_way_is_no_duplicate(closed: str) -> None:
    # Given a company whose first sign-up has ended, When it signs up again,
    service = SignupHarness()
    service.submit(example())
    if closed == "declined":
        service.hear(RegistrationDeclined(reason="nog niet"))
    elif closed == "logged in":
        service.hear(LOGGED_IN)
    else:
        service.ask(Withdraw(by="anna"))
    # Then nothing is flagged.
    assert "likely_duplicate" not in codes(service, example(), "tweede")


def test_an_office_that_pays_for_nobody_is_no_payer() -> None:
    # Given an office that has not agreed to pay, When a client says that it will,
    form = changed(office_code="0077", payer={"kind": "office"})
    # Then they must choose another payer.
    assert errors(SignupHarness().submit(form)) == {"payer.kind": "office_does_not_pay"}


@pytest.mark.parametrize(("agreed", "flagged"), [("review", True), ("yes", False)])
def test_an_office_that_pays_looks_first_unless_it_said_that_it_need_not(
    agreed: str, flagged: bool
) -> None:
    # Given an office that pays for its clients, with or without a look at each,
    service = SignupHarness()
    service.row(Office, code="0042").change(pays_for_customers=agreed)
    # When one of them says that it pays, Then a person looks, unless the office has said yes.
    warnings = accepted(service.submit(changed(payer={"kind": "office"}))).warnings
    reviewed = [warning.code for warning in warnings if warning.needs_review]
    assert reviewed == (["payer_office"] if flagged else [])


def test_a_likely_slip_in_an_address_is_told_and_stops_nothing() -> None:
    warnings = accepted(SignupHarness().submit(changed(customer__email="anna@gmial.com"))).warnings
    (warning,) = warnings
    assert (warning.code, warning.needs_review) == ("email_typo", False)


def test_a_withdrawal_is_said_once_and_told_to_both() -> None:
    # Given a customer, When they are withdrawn,
    service = SignupHarness()
    service.submit(example())
    effects = service.ask(Withdraw(reason="ziet ervan af", by="anna"))
    # Then all services hear it, customer and office are told, and it cannot be done again.
    assert OnboardingWithdrawn(reason="ziet ervan af", by="anna") in effects
    assert len(mails(effects)) == 2
    with pytest.raises(Conflict):
        service.ask(Withdraw(by="bram"))


def test_an_unknown_or_rejected_signup_cannot_be_withdrawn() -> None:
    service = SignupHarness()
    with pytest.raises(NotFound):
        service.ask(Withdraw(by="anna"))
    service.submit(example("91-fout-kvk"))
    with pytest.raises(NotFound):
        service.ask(Withdraw(by="anna"))


def test_facts_that_come_before_the_signup_are_kept() -> None:
    # Given that the log-in is heard first, When the sign-up follows,
    service = SignupHarness()
    service.hear(LOGGED_IN)
    accepted(service.submit(example()))
    # Then both are known.
    assert service.signup().logged_in_at == LOGGED_IN.first_login_at


def test_an_office_is_added_and_changed() -> None:
    service = SignupHarness()
    new = PutOffice(code="0099", name="Noord", email="k@noord.example", review="always")
    service.ask(new)
    service.ask(new.model_copy(update={"review": "flagged"}))
    assert service.row(Office, code="0099").review == "flagged"
    signup = accepted(service.submit(changed(office_code="0099")))
    assert signup.office.name == "Noord"
