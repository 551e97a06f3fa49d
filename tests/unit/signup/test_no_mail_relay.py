"""A public form is of no use for mailing strangers."""

from datetime import timedelta
from typing import Any

import pytest

from services.signup.commands import Withdraw
from services.signup.models import SignupCount
from shared.events import RegistrationDeclined, SignupAccepted
from shared.notifications.messages import Mail
from tests.unit.signup.harness import (
    SETTINGS,
    SignupHarness,
    accepted,
    changed,
    errors,
    mails,
)

PER_ADDRESS = SETTINGS.signups_per_address_hour
PER_OFFICE = SETTINGS.signups_per_office_hour
VICTIM = "anna@korenaar.example"


def flood(service: SignupHarness, count: int, **fields: Any) -> list[SignupAccepted]:
    """So many sign-ups, each of another company, at one address unless told otherwise."""
    said = []
    for number in range(count):
        form = {"customer__company": f"Zaak {number}", "customer__kvk": f"{number:08d}"} | fields
        if fields.get("customer__email") == "{number}":
            form["customer__email"] = f"k{number}@zaak.example"
        said.append(accepted(service.submit(changed(**form), f"{len(service.said)}")))
    return said


def limits_of(event: SignupAccepted) -> list[str]:
    return [warning.code for warning in event.warnings if warning.code == "too_many_signups"]


@pytest.mark.parametrize(
    "spelling", [VICTIM, "ANNA@KORENAAR.EXAMPLE", "anna+winst@korenaar.example"]
)
def test_more_signups_for_one_recipient_than_an_hours_wait_and_mail_nobody(spelling: str) -> None:
    # Given as many sign-ups for one mailbox as are believed within an hour,
    service = SignupHarness()
    for event in flood(service, PER_ADDRESS, customer__email=VICTIM):
        assert limits_of(event) == []
    # When one more comes, however the address is written,
    effects = service.submit(changed(customer__email=spelling), "een meer")
    # Then a person looks at it, and nobody is mailed;
    (warning,) = [w for w in accepted(effects).warnings if w.code == "too_many_signups"]
    assert warning.needs_review
    assert mails(effects) == []
    # and an hour later it is as before.
    service.now += timedelta(hours=1)
    later = service.submit(changed(customer__email=VICTIM), "later")
    assert mails(later)[0] == ("signup_received", VICTIM)


def test_a_recipient_who_only_pays_is_counted_too() -> None:
    service = SignupHarness()
    payer = {"kind": "other", "name": "Oma", "email": VICTIM}
    flood(service, PER_ADDRESS, customer__email="{number}", payer=payer)
    (event,) = flood(service, 1, customer__email="nieuw@zaak.example", payer=payer)
    assert limits_of(event) == ["too_many_signups"]


def test_more_signups_for_one_office_than_an_hours_wait_and_mail_nobody() -> None:
    # Given an office with as many sign-ups as are believed within an hour,
    service = SignupHarness()
    service.add(SignupCount(key="office/0042", began_at=service.now, signups=PER_OFFICE))
    # When one more comes, Then nobody is mailed; another office has its own.
    effects = service.submit(changed())
    assert limits_of(accepted(effects)) == ["too_many_signups"]
    assert mails(effects) == []
    other = service.submit(changed(office_code="0077"), "ander")
    assert limits_of(accepted(other)) == []


def test_wrong_forms_that_mail_somebody_count_as_well() -> None:
    # Given wrong forms for one address, each of which is told what to correct,
    service = SignupHarness()
    for number in range(PER_ADDRESS):
        assert mails(service.submit(changed(customer__kvk="1"), f"{number}")) != []
    # When one more comes, Then it is rejected as well, but told to nobody.
    effects = service.submit(changed(customer__kvk="1"), "een meer")
    assert errors(effects) == {"customer.kvk": "kvk_format"}
    assert mails(effects) == []


def test_signups_for_unknown_offices_are_counted_together() -> None:
    # Given a website that knows its office by another name, When several sign-ups come,
    service = SignupHarness()
    for number, code in enumerate(["9999", "9998", "9999"]):
        form = changed(office_code=code, customer__email=f"k{number}@zaak.example")
        service.submit(form, f"{number}", source="/website/0042")
    # Then one row counts them all: a second one of its name no database would take.
    (together,) = [row for row in service.rows(SignupCount) if row.key.startswith("office/")]
    assert together.signups == 3


def test_who_sent_a_wrong_form_over_http_has_the_answer_and_no_mail() -> None:
    # Given a form of the website, which shows what is wrong, When it is sent by HTTP,
    effects = SignupHarness().submit_by_http(changed(customer__kvk="1"))
    # Then it is rejected, and nobody is mailed beside the answer.
    assert errors(effects) == {"customer.kvk": "kvk_format"}
    assert mails(effects) == []


@pytest.mark.parametrize(
    "field",
    ["customer__company", "customer__contact__first_name", "customer__address__street", "remarks"],
)
def test_a_text_with_a_link_is_for_the_office_to_look_at(field: str) -> None:
    # Given a sign-up with a link in one of its texts, When it is submitted,
    effects = SignupHarness().submit(changed(**{field: "Win nu: https://kwaad.example"}))
    # Then a person looks at it, and only the office is mailed.
    warnings = [w.code for w in accepted(effects).warnings if w.needs_review]
    assert warnings == ["link_in_text"]
    mail = effects.one(Mail)
    assert (mail.kind, mail.to) == ("signup_received_office", "k@linde.example")
    assert mail.params["has_link"]


def test_a_withdrawn_signup_with_a_link_is_told_to_the_office_alone() -> None:
    service = SignupHarness()
    service.submit(changed(customer__company="https://kwaad.example"))
    effects = service.ask(Withdraw(by="anna"))
    assert mails(effects) == [("onboarding_withdrawn_office", "k@linde.example")]


@pytest.mark.parametrize("form", [{}, {"customer__company": "https://kwaad.example"}])
def test_a_decline_is_told_to_whoever_was_mailed_before_and_once(form: dict[str, Any]) -> None:
    # Given a sign-up, or one that may be a joke on a stranger, who was therefore not mailed,
    service = SignupHarness()
    service.submit(changed(**form))
    # When the office declines it, and the word of that comes twice,
    effects = service.hear(RegistrationDeclined(reason="Al klant bij ons."))
    again = service.hear(RegistrationDeclined(reason="Al klant bij ons."))
    # Then the customer is told why, once; the stranger is left in peace.
    assert mails([*effects, *again]) == (
        [] if form else [("signup_declined", changed()["customer"]["email"])]
    )
    assert all(mail.params["reason"] == "Al klant bij ons." for mail in effects.all(Mail))


def test_who_withdrew_is_not_told_of_a_decline() -> None:
    service = SignupHarness()
    service.submit(changed())
    service.ask(Withdraw(by="anna"))
    assert mails(service.hear(RegistrationDeclined(reason="te laat"))) == []
