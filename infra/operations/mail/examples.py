"""Every mail and text that the services send, about one made-up customer of one office."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from infra.operations.mail.story import Story
from services.activation import mails as of_activation
from services.activation.models import SENT
from services.billing import mails as of_billing
from services.billing.models.reasons import reason_for
from services.registration import mails as of_registration
from services.signup import mails as of_signup
from shared.events import CustomerContactChanged
from shared.events.shapes import Language
from shared.notifications.messages import Mail

ONBOARDING = str(UUID(int=0x42))
PASSWORD = "k7mq-3xwp-9fzt-hd4v"  # noqa: S105 - an example: nobody's.


@dataclass(frozen=True)
class Example:
    """One mail or text as a service would send it; `secrets` are made while it is sent."""

    service: str
    name: str
    mail: Mail
    secrets: Mapping[str, Any] = field(default_factory=dict)


def examples(language: Language, now: datetime) -> list[Example]:
    """All of them, to readers of this language."""
    told = Story(language, now, ONBOARDING)
    makers: Mapping[str, Callable[[Story], Iterator[Example]]] = {
        "signup": _of_signup,
        "registration": _of_registration,
        "billing": _of_billing,
        "activation": _of_activation,
    }
    return [example for maker in makers.values() for example in maker(told)]


def _named(service: str, mails: Sequence[Mail], variant: str = "") -> Iterator[Example]:
    for mail in mails:
        yield Example(service, f"{mail.kind}{variant}", mail)


def _of_signup(story: Story) -> Iterator[Example]:
    signup, remarks = story.accepted(), "Graag vanaf 1 januari."
    mails = of_signup.confirmations(story.signed_up(), story.catalogue, signup, remarks)
    yield from _named("signup", mails)
    flagged = story.signed_up(payer="other", warned=True)
    mails = of_signup.confirmations(flagged, story.catalogue, signup, None)
    yield from _named("signup", mails, "-paid-by-another")
    yield from _named("signup", of_signup.incomplete(story.wrong_form(), story.office_row()))
    yield from _named("signup", of_signup.declined(signup, story.reason))
    yield from _named("signup", of_signup.withdrawal(signup))
    yield from _named("signup", of_signup.withdraw_link(signup))


def _of_registration(story: Story) -> Iterator[Example]:
    mail = of_registration.administration_failed(story.signed_up(), "horeca")
    yield from _named("registration", [mail])


def _of_billing(story: Story) -> Iterator[Example]:
    order, of_another = story.order(), story.order(payer="other")
    covered = story.order(payer="office", covered=True)
    yield from _named("billing", of_billing.confirmation_mails(order))
    yield from _named("billing", of_billing.confirmation_mails(covered), "-covered")
    yield from _named("billing", of_billing.confirmation_mails(of_another), "-paid-by-another")
    yield from _named("billing", of_billing.reminder_mails(order, 1))
    collect_on = story.today + timedelta(days=14)
    yield from _named("billing", of_billing.signature_mails(order, collect_on, ["O-2026-000124"]))
    yield from _named("billing", of_billing.withdrawal_mails(of_another))
    for reminder, not_made in ((False, False), (True, True)):
        mail = of_billing.undeliverable_mail(order, reminder=reminder, not_made=not_made)
        yield from _named("billing", [mail], "-reminder" if reminder else "")
    to_king = of_billing.not_made_mail(order, "orders@king.example")
    yield from _named("billing", [replace(to_king, language=story.language)])
    yield from _of_payers_page(story)
    yield from _of_failures(story)


def _of_payers_page(story: Story) -> Iterator[Example]:
    order = story.order()
    yield from _named("billing", [of_billing.payer_link_mail(order)])
    signing = story.signing(order)
    mail = of_billing.signing_code_mail(order, signing)
    expires_at = story.now + timedelta(minutes=15)
    secrets = {"code": "730 418", "name": signing.name, "expires_at": expires_at}
    yield Example("billing", mail.kind, mail, secrets)


def _of_failures(story: Story) -> Iterator[Example]:
    order = story.order()
    for code, again in (("AM04", True), ("AC04", False)):
        reason = reason_for(code)
        mails = of_billing.failure_mails(
            order,
            story.failed(order, code),
            meaning=reason.meaning,
            action=partial(reason.action, again=again),
            again_on=story.today + timedelta(days=21) if again else None,
            to_payer=True,
        )
        yield from _named("billing", mails, "" if again else "-for-good")


def _of_activation(story: Story) -> Iterator[Example]:
    signup, customer = story.signed_up(), story.customer()
    yield from _named("activation", [of_activation.customer_released(customer, signup)])
    secrets = {"password": PASSWORD, "expires_at": story.now + timedelta(days=3)}
    for channel, to in (("email", customer.email), ("sms", customer.mobile)):
        mail = of_activation.credentials(customer, signup, channel, to or "", 1)
        yield Example("activation", mail.kind, mail, secrets)
    yield from _named("activation", [of_activation.credentials_undeliverable(signup, "sms")])
    customer.state, customer.expires_at = SENT, story.now + timedelta(days=3)
    yield from _named("activation", [of_activation.credentials_expiring(customer, signup)])
    yield from _named("activation", [of_activation.credentials_expired(customer, signup)])
    for mail in of_activation.password_forgotten(customer):
        yield Example("activation", mail.kind, mail, secrets)
    yield from _of_warnings(story)


def _of_warnings(story: Story) -> Iterator[Example]:
    signup, customer, now = story.signed_up(), story.customer(), story.now
    yield from _named("activation", [of_activation.access_suspended(customer, signup)])
    restored = of_activation.access_restored(customer, signup, now)
    yield from _named("activation", [restored], "-expired")
    customer.own_hash = "chosen"
    yield from _named("activation", [of_activation.access_restored(customer, signup, now)])
    yield from _named("activation", of_activation.page_link(customer))
    yield from _named("activation", of_activation.password_changed(customer, now))
    yield from _named("activation", of_activation.login_locked(customer, now))
    moves = {
        "": CustomerContactChanged(email=story.new_email),
        "-mobile": CustomerContactChanged(mobile="+31687654321"),
    }
    for variant, changed in moves.items():
        mails = of_activation.contact_changed(signup, customer.email or "", changed)
        yield from _named("activation", mails, variant)
