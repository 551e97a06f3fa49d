"""Every mail and text that the services send, filled with what their handlers give it."""

import re
from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest

from infra.composition import service_names
from services.activation.commands import ActivateCustomer, AmendContact
from services.activation.mails import (
    credentials_undeliverable,
    login_locked,
    page_link,
    password_changed,
    password_forgotten,
)
from services.billing.mails import (
    not_made_mail,
    payer_link_mail,
    signing_code_mail,
    undeliverable_mail,
)
from services.billing.models import OnlineSigning
from services.signup.commands import Withdraw
from services.signup.mails import withdraw_link
from shared.events import CustomerReleased, CustomerReleaseWithdrawn, RegistrationDeclined
from shared.links import LIFETIMES, Purpose
from shared.notifications.messages import Mail
from shared.notifications.rendering.template_files import suffixes
from shared.notifications.senders import Email
from shared.processing import Effect
from shared.processing.testing import MONDAY
from tests.unit.activation.harness import ORDER, WAY, ActivationHarness, signed_up
from tests.unit.billing import builders
from tests.unit.billing.harness import BillingHarness
from tests.unit.notifications.paper import BAKERY, PAGES, email, templates_of
from tests.unit.registration.test_registering import RegistrationHarness, of
from tests.unit.signup.harness import SignupHarness, example

SECRETS = {
    "password": "abcd-efgh-jkmn-pqrs",
    "code": "123456",
    "name": "Anna",
    "expires_at": MONDAY,
}
WITHOUT_LINKS = ("signing_code",)
"""Its code is for the page where it was asked for: a link would bring another there."""
PAGES_OF_THE_CONTRACT = re.compile(
    r"/(status|withdraw|sign)/[A-Za-z0-9_.-]+|/signup/[^/]+|/login|/password(/forgotten)?"
    r"|/(onboardings|registrations)/[0-9a-f-]{36}|/orders/O-\d{4}-\d{6}"
)
HREF, ADDRESS = re.compile(r'href="([^"]*)"'), re.compile(r"https?://[^\s<>]+")


def of_signup() -> list[Effect]:
    signup = SignupHarness()
    return [
        *signup.submit(example(), "bakkerij"),
        *signup.submit(example(), "tweede"),
        *signup.submit(example("91-fout-kvk"), "slager"),
        *signup.submit(example("06-stichting-ander-betaalt"), "stichting"),
        *signup.hear(RegistrationDeclined(reason="Al klant."), "tweede"),
        *signup.ask(Withdraw(by="anna"), "bakkerij"),
        *withdraw_link(signup.signup("stichting")),
    ]


def of_registration() -> list[Effect]:
    office = of(base_administration="horeca")
    return list(RegistrationHarness().hear(signed_up(office=office)))


def of_billing() -> list[Effect]:
    billing = BillingHarness()
    effects = [*billing.hear(builders.registration()), *billing.pass_days(8)]
    order = billing.order()
    undeliverable = [
        undeliverable_mail(order, reminder=reminder, not_made=not_made)
        for reminder in (True, False)
        for not_made in (True, False)
    ]
    effects += [not_made_mail(order, "orders@king.example"), *billing.ask(builders.signature())]
    another = builders.registration(payer="other", payer_email="oma@holding.example")
    effects += [*billing.hear(another, "zus"), *billing.hear(builders.withdrawal(), "zus")]
    failed = billing.hear(builders.result("failed", code="AM04"))
    signing = OnlineSigning.model_construct(id="1", codes=1)
    effects += [payer_link_mail(order), signing_code_mail(order, signing)]
    return [*effects, *undeliverable, *failed]


def of_activation() -> list[Effect]:
    activation = ActivationHarness(*WAY[:-1])
    effects = [*activation.hear(WAY[-1])]
    effects += activation.ask(ActivateCustomer(channel="email", by="anna"))
    activation.send_credentials()
    effects += [credentials_undeliverable(signed_up(), "sms"), *activation.pass_days(2)]
    customer = activation.customer()
    effects += [*login_locked(customer, MONDAY), *password_changed(customer, MONDAY)]
    effects += [*password_forgotten(customer), *page_link(customer)]
    effects += activation.hear(taken_back(3))
    effects += activation.hear(CustomerReleased(order_reference=ORDER, revision=4))
    effects += activation.pass_days(2)
    effects += activation.ask(AmendContact(email="nieuw@bakkerij.example", by="anna"))
    return [*effects, *activation.ask(AmendContact(mobile="+31687654321", by="anna"))]


def taken_back(revision: int) -> CustomerReleaseWithdrawn:
    return CustomerReleaseWithdrawn(
        order_reference=ORDER, revision=revision, reason_code="AM04", cause="insufficient_funds"
    )


SERVICES = {
    "signup": of_signup,
    "registration": of_registration,
    "billing": of_billing,
    "activation": of_activation,
}
SENT = {
    service: [effect for effect in maker() if isinstance(effect, Mail)]
    for service, maker in SERVICES.items()
}
EVERY_MAIL = [
    pytest.param(service, mail, language, id=f"{service}-{mail.kind}-{number}-{language}")
    for service, mails in SENT.items()
    for number, mail in enumerate(mails)
    for language in ("nl", "en")
]
every_mail = pytest.mark.parametrize(("service", "mail", "language"), EVERY_MAIL)


def rendered(service: str, mail: Mail, language: str) -> Email:
    return email(service, mail, SECRETS, language=language, channel="email")


def links_of(message: Email) -> set[str]:
    """Where it leads to, in whichever of its parts."""
    in_text = {address.rstrip(".)") for address in ADDRESS.findall(message.text)}
    return {*HREF.findall(message.html), *in_text}


@pytest.mark.parametrize("service", service_names())
def test_no_mail_is_there_that_no_handler_sends(service: str) -> None:
    folders = templates_of(service).glob("*")
    kinds = {path.name for path in folders if path.is_dir() and suffixes(path)}
    assert kinds == {mail.kind for mail in SENT.get(service, [])}


@every_mail
def test_every_mail_can_be_rendered_in_both_languages(
    service: str, mail: Mail, language: str
) -> None:
    # Given a mail as its handler returns it, When it is rendered,
    message = rendered(service, mail, language)
    # Then nothing of the template is left, nothing is missing, and both parts are there.
    assert message.subject
    for part in (message.subject, message.text):
        assert not {"{{", "{%", "None", "none"} & set(part.split()), part
        assert "**" not in part
    assert "<html" in message.html


@every_mail
def test_every_link_of_every_mail_is_a_page_of_the_contract(
    service: str, mail: Mail, language: str
) -> None:
    # Given a mail, When its links are collected from both parts,
    links = links_of(rendered(service, mail, language))
    # Then each leads to one of our pages, and both parts lead to the same ones.
    for link in links:
        assert link.startswith(PAGES.base_url), link
        assert PAGES_OF_THE_CONTRACT.fullmatch(urlsplit(link).path), link
    # What goes to a mailbox that may be somebody else's by now leads nowhere.
    leads_nowhere = mail.params.get("email_changed") or mail.kind in WITHOUT_LINKS
    assert bool(links) is not bool(leads_nowhere)


@every_mail
def test_a_link_to_a_page_lets_in_for_ninety_days_from_the_sending(
    service: str, mail: Mail, language: str
) -> None:
    for link in links_of(rendered(service, mail, language)):
        _, purpose, *token = urlsplit(link).path.split("/")
        if purpose in ("status", "withdraw", "sign"):
            # Given a signed link, When its page reads it just before and just after its end,
            until = MONDAY + LIFETIMES[Purpose(purpose)]
            signed = PAGES.read(Purpose(purpose), token[0], until - timedelta(seconds=1))
            # Then it is about the mail's own customer, and ends after ninety days.
            assert signed.claims["sub"] == (mail.about or BAKERY)
            assert signed.expires_at == MONDAY + timedelta(days=90)


@pytest.mark.parametrize("service", SENT)
def test_nothing_that_lets_somebody_in_is_kept_with_a_mail(service: str) -> None:
    for mail in SENT[service]:
        assert "://" not in str(mail.params), mail.kind


@every_mail
def test_every_mail_names_the_office_and_whoever_is_no_office_can_answer_it(
    service: str, mail: Mail, language: str
) -> None:
    # Given a mail, When it is for a customer or a payer,
    message = rendered(service, mail, language)
    if mail.reply_to is None:
        # Then not: whoever works with it has a footer of their own.
        assert re.search("uw kantoor met|bij KING|your office works|at KING", message.text)
        return
    # Then it names the office, whose mailbox takes the answer.
    assert mail.params["office"] in message.text
    assert mail.params["office_email"] in message.text
    assert message.reply_to == f"{mail.params['office']} <{mail.params['office_email']}>"


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
    message = email("billing", mail)
    assert "hoeft niets te doen" in message.text
    assert "ondertekenen" not in message.subject + message.text


def test_a_reference_is_never_broken_over_two_lines_and_stays_fit_for_copying() -> None:
    # Given a mail about a sign-up, When it is rendered,
    mail = next(mail for mail in SENT["signup"] if mail.kind == "signup_received")
    message, reference = email("signup", mail), str(mail.params["reference"])
    # Then its HTML keeps the reference together, and in both parts its hyphens are hyphens.
    assert f'<span style="white-space:nowrap;">{reference}</span>' in message.html
    assert reference in message.text
