"""Every mail and text that the services send, filled with what their handlers give it."""

from datetime import date
from typing import Any

import pytest

from infra.composition import build_service, service_names
from services.activation.commands import ActivateCustomer, AmendContact
from services.activation.mails import (
    credentials_undeliverable,
    login_locked,
    password_changed,
    password_forgotten,
)
from services.billing.mails import undeliverable_mail
from services.signup.commands import Withdraw
from shared.host.settings import Settings
from shared.notifications.messages import Mail
from shared.notifications.rendering.gsm7 import SINGLE_PART_SEPTETS
from shared.notifications.rendering.renderer import Renderer
from shared.notifications.senders import Email, Sms
from shared.processing import Effect
from shared.processing.testing import MONDAY
from tests.unit.activation.harness import WAY, ActivationHarness, signed_up
from tests.unit.billing import builders
from tests.unit.billing.harness import BillingHarness
from tests.unit.signup.harness import SignupHarness, example

DOCUMENT = "confirmation"
"""This folder holds the PDF's template, not a mail's."""
MADE_WHILE_SENDING = {
    "password": "abcd-efgh-jkmn-pqrs",
    "expires_at": MONDAY,
    "login_url": "https://stappenplan.example/login",
}


def of_signup() -> list[Effect]:
    signup = SignupHarness()
    return [
        *signup.submit(example(), "bakkerij"),
        *signup.submit(example(), "tweede"),
        *signup.submit(example("91-fout-kvk"), "slager"),
        *signup.ask(Withdraw(by="anna"), "bakkerij"),
    ]


def of_billing() -> list[Effect]:
    billing = BillingHarness()
    effects = [*billing.hear(builders.registration()), *billing.pass_days(8)]
    undeliverable = [
        undeliverable_mail(billing.order(), reminder=reminder, not_made=not_made)
        for reminder in (True, False)
        for not_made in (True, False)
    ]
    billing.ask(builders.signature())
    return [*effects, *undeliverable, *billing.hear(builders.result("failed", code="AM04"))]


def of_activation() -> list[Effect]:
    activation = ActivationHarness(*WAY[:-1])
    released = activation.hear(WAY[-1])
    ordered = activation.ask(ActivateCustomer(channel="email", by="anna"))
    activation.send_credentials()
    failed = credentials_undeliverable(signed_up(), "sms")
    reminded = activation.pass_days(2)
    customer = activation.customer()
    warned = [*login_locked(customer, MONDAY), *password_changed(customer, MONDAY)]
    warned += password_forgotten(customer)
    moved = [
        *activation.ask(AmendContact(email="nieuw@bakkerij.example", by="anna")),
        *activation.ask(AmendContact(mobile="+31687654321", by="anna")),
    ]
    return [*released, *ordered, *reminded, *warned, failed, *moved]


SERVICES = {"signup": of_signup, "billing": of_billing, "activation": of_activation}


def mails(service: str) -> list[Mail]:
    return [effect for effect in SERVICES[service]() if isinstance(effect, Mail)]


def render(service: str, mail: Mail, language: str, channel: str = "email") -> Email | Sms:
    renderer = Renderer(build_service(service, Settings()).templates)
    fill: Any = renderer.render_sms if channel == "sms" else renderer.render_email
    params = {**mail.params, **MADE_WHILE_SENDING}
    message: Email | Sms = fill(mail.kind, language, params, to=mail.to, message_key="k")
    return message


@pytest.mark.parametrize("service", service_names())
def test_no_mail_is_there_that_no_handler_sends(service: str) -> None:
    folders = build_service(service, Settings()).templates.glob("*")
    kinds = {path.name for path in folders if path.is_dir() and path.name != DOCUMENT}
    sent = {mail.kind for mail in mails(service)} if service in SERVICES else set()
    assert kinds == sent


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("service", SERVICES)
def test_every_mail_can_be_rendered_in_both_languages(service: str, language: str) -> None:
    # Given each mail as its handler returns it, When it is rendered,
    for mail in mails(service):
        email = render(service, mail, language)
        assert isinstance(email, Email)
        # Then nothing of the template is left, nothing is missing, and both parts are there.
        assert email.subject
        for part in (email.subject, email.text):
            assert not {"{{", "{%", "**", "None"} & set(part.split()), (mail.kind, part)
            assert "**" not in part
        assert "<html" in email.html


@pytest.mark.parametrize("language", ["nl", "en"])
def test_credentials_fit_into_one_text_message(language: str) -> None:
    # Given the longest login name there can be, When the text is rendered,
    params = {"attempt": 1, "login_name": "internationale.scheepv99", "contact": "Anna"}
    mail = Mail("credentials", "+31612345678", "nl", params)
    sms = render("activation", mail, language, "sms")
    # Then it is one part, with name and password in it.
    assert isinstance(sms, Sms)
    assert len(sms.text) <= SINGLE_PART_SEPTETS
    assert "abcd-efgh-jkmn-pqrs" in sms.text
    assert "internationale.scheepv99" in sms.text


def test_a_payer_under_a_standing_mandate_is_not_asked_to_sign() -> None:
    # Given an office that signed its mandate, When its next client is registered,
    billing = BillingHarness()
    billing.hear(builders.registration(payer="office", iban=builders.OFFICE_IBAN))
    billing.ask(builders.signature(signed_on=date(2026, 11, 23)))
    registration = builders.registration(company="Slager", payer="office", iban=None)
    (mail,) = [
        mail
        for mail in billing.hear(registration, "slager").all(Mail)
        if mail.kind == "order_confirmation"
    ]
    # Then the mail says that nothing need be done, unlike the first.
    email = render("billing", mail, "nl")
    assert isinstance(email, Email)
    assert "hoeft niets te doen" in email.text
    assert "ondertekenen en terugsturen" not in email.subject + email.text
