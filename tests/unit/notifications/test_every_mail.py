"""Every mail and text that the services send, filled with what their handlers give it."""

from datetime import date, timedelta
from typing import Any

import pytest

from infra.composition import build_service, service_names
from services.activation.requests import ActivateCustomer
from services.signup.requests import Withdraw
from shared.notifications.gsm7 import SINGLE_PART
from shared.notifications.letters import Email, Sms
from shared.notifications.rendering import Renderer
from shared.processing.messages import Later, Mail, Message
from shared.settings import Settings
from tests.unit.activation import world as activation
from tests.unit.billing import builders
from tests.unit.billing import world as billing
from tests.unit.signup import world as signup

DOCUMENT = "confirmation"
"""This folder holds the PDF's template, not a mail's."""
MADE_WHILE_SENDING = {
    "password": "abcd-efgh-jkmn-pqrs",
    "expires_at": activation.MONDAY,
    "login_url": "https://stappenplan.example/login",
}


def of_signup() -> list[Message]:
    world = signup.World()
    return [
        *world.submit(signup.example(), "bakkerij"),
        *world.submit(signup.example(), "tweede"),
        *world.submit(signup.example("91-fout-kvk"), "slager"),
        *world.ask(Withdraw(by="anna"), "bakkerij"),
    ]


def of_billing() -> list[Message]:
    world = billing.World()
    said = [*world.hear(builders.registration()), *world.pass_days(8)]
    world.ask(builders.signature())
    return [*said, *world.hear(builders.result("failed", code="AM04"))]


def of_activation() -> list[Message]:
    world = activation.World(*activation.WAY[:-1])
    said = [*world.hear(activation.WAY[-1])]
    ordered = world.ask(ActivateCustomer(channel="email", by="anna"))
    world.customer().equip("hash", world.now + timedelta(hours=72))
    world.customer().mark_sent(world.now)
    (later,) = [one for one in ordered if isinstance(one, Later)]
    undeliverable = {"reference": "S-1", "company": "Bakkerij", "channel": "sms"}
    failed = Mail("credentials_undeliverable", "k@kantoor.example", "nl", undeliverable)
    return [*said, *ordered, *world.ask(later.request), failed]


SERVICES = {"signup": of_signup, "billing": of_billing, "activation": of_activation}


def mails(service: str) -> list[Mail]:
    return [one for one in SERVICES[service]() if isinstance(one, Mail)]


def render(service: str, mail: Mail, language: str, channel: str = "email") -> Email | Sms:
    renderer = Renderer(build_service(service, Settings()).templates)
    fill: Any = renderer.render_sms if channel == "sms" else renderer.render_email
    made: Email | Sms = fill(
        mail.kind, language, {**mail.params, **MADE_WHILE_SENDING}, to=mail.to, message_key="k"
    )
    return made


@pytest.mark.parametrize("service", service_names())
def test_no_mail_is_there_that_no_handler_sends(service: str) -> None:
    folders = build_service(service, Settings()).templates.glob("*")
    kinds = {one.name for one in folders if one.is_dir() and one.name != DOCUMENT}
    sent = {one.kind for one in mails(service)} if service in SERVICES else set()
    assert kinds == sent


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("service", SERVICES)
def test_every_mail_can_be_written_in_both_languages(service: str, language: str) -> None:
    # Given each mail as its handler returns it, When it is written,
    for mail in mails(service):
        made = render(service, mail, language)
        assert isinstance(made, Email)
        # Then nothing of the template is left, nothing is missing, and both parts are there.
        assert made.subject
        for part in (made.subject, made.text):
            assert not {"{{", "{%", "**", "None"} & set(part.split()), (mail.kind, part)
            assert "**" not in part
        assert "<html" in made.html


@pytest.mark.parametrize("language", ["nl", "en"])
def test_credentials_fit_into_one_text_message(language: str) -> None:
    # Given the longest login name there can be, When the text is written,
    params = {"attempt": 1, "login_name": "internationale.scheepv99", "contact": "Anna"}
    mail = Mail("credentials", "+31612345678", "nl", params)
    text = render("activation", mail, language, "sms")
    # Then it is one part, with name and password in it.
    assert isinstance(text, Sms)
    assert len(text.text) <= SINGLE_PART
    assert "abcd-efgh-jkmn-pqrs" in text.text
    assert "internationale.scheepv99" in text.text


def test_a_payer_under_a_standing_mandate_is_not_asked_to_sign() -> None:
    # Given an office that signed its mandate, When its next client is registered,
    world = billing.World()
    world.hear(builders.registration(payer="office", iban=builders.OFFICE_IBAN))
    world.ask(builders.signature(signed_on=date(2026, 11, 20)))
    said = world.hear(builders.registration(company="Slager", payer="office", iban=None), "slager")
    (mail,) = [one for one in said if isinstance(one, Mail) and one.kind == "order_confirmation"]
    # Then the mail says that nothing need be done, unlike the first.
    made = render("billing", mail, "nl")
    assert isinstance(made, Email)
    assert "hoeft niets te doen" in made.text
    assert "ondertekenen en terugsturen" not in made.subject + made.text
