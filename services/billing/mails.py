"""The mails of this step: who gets them, and what fills them in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.billing.models import Collection, OnlineSigning, Order
from shared.events import RegistrationCompleted
from shared.events.shapes import Language
from shared.notifications.messages import Mail
from shared.notifications.offices import office_params, reply_to

CONFIRMATION = "order_confirmation"
COPY = "order_confirmation_copy"
REMINDER = "order_reminder"
UNDELIVERABLE = "confirmation_undeliverable"
SIGNING_CODE = "signing_code"
PAYER_LINK = "payer_link"
NOT_MADE = "confirmation_not_made"


def payer_address(event: RegistrationCompleted) -> tuple[str, str, Language]:
    """Name, e-mail address and language of whoever pays."""
    payer, customer, office = event.payer, event.customer, event.office
    if payer.kind == "office":
        return payer.name or office.name, payer.email or office.email, office.language
    if payer.kind == "other" and payer.email:
        return payer.name or customer.company, payer.email, customer.language
    return customer.company, payer.email or customer.email, customer.language


def confirmation_mails(order: Order) -> Sequence[Mail]:
    """The confirmation to the payer, always a copy to the office, and a word to who pays not."""
    people = _People.of(order)
    mails = [people.to_payer(CONFIRMATION, {}), people.to_office(COPY, {})]
    if people.customer_pays_not:
        mails.append(people.to_customer("order_with_payer", {}))
    return mails


def reminder_mails(order: Order, times: int) -> Sequence[Mail]:
    """A mail to the payer that the confirmation has not come back yet."""
    posted_on = order.posted_on and order.posted_on.isoformat()
    return [_People.of(order).to_payer(REMINDER, {"times": times, "posted_on": posted_on})]


def signature_mails(order: Order, collect_on: date | None, covers: Sequence[str]) -> Sequence[Mail]:
    """Mails to payer and office that the signature is here, and when it is collected.

    `collect_on` is None when the money is there already, or on its way; `covers` are the other
    orders that this signature holds for.
    """
    people = _People.of(order)
    params = {
        "signed_on": order.signed_on and order.signed_on.isoformat(),
        "collect_on": collect_on and collect_on.isoformat(),
        "covers": list(covers),
    }
    mails = [people.to_payer("signature_received", params)]
    if people.payer_is_not_office:
        mails.append(people.to_office("signature_received_office", params))
    return mails


def withdrawal_mails(order: Order) -> Sequence[Mail]:
    """A word to a payer who is neither customer nor office, whom the sign-up's own mails tell."""
    people = _People.of(order)
    if not (people.customer_pays_not and people.payer_is_not_office):
        return []
    return [people.to_payer("order_withdrawn", {"signed": order.signed})]


def signing_code_mail(order: Order, signing: OnlineSigning) -> Mail:
    """A mail to the payer with the code to sign with, which is made when it is sent."""
    params = {"signing_id": signing.id, "number": signing.codes}
    return _People.of(order).to_payer(SIGNING_CODE, params)


def payer_link_mail(order: Order) -> Mail:
    """A mail to the payer with a fresh link to their page."""
    return _People.of(order).to_payer(PAYER_LINK, {})


def undeliverable_mail(order: Order, *, reminder: bool, not_made: bool) -> Mail:
    """A mail to the office that the confirmation, or a reminder of it, did not reach the payer.

    `not_made` says that there is no document to send: somebody at KING must look. Otherwise it is
    most likely the payer's address, and the office can mend that.
    """
    params = {"reminder": reminder, "not_made": not_made}
    return _People.of(order).to_office(UNDELIVERABLE, params)


def not_made_mail(order: Order, king: str) -> Mail:
    """A mail to KING that a confirmation cannot be made, so that somebody looks why."""
    params = _People.of(order).params
    return Mail(NOT_MADE, king, "nl", params, about=order.onboarding_id)


def failure_mails(
    order: Order,
    collection: Collection,
    *,
    meaning: Callable[[Language], str],
    action: Callable[[Language], str],
    again_on: date | None,
    to_payer: bool,
) -> Sequence[Mail]:
    """Mails that money did not come, or went back: to the office, and `to_payer` where it helps.

    `meaning` and `action` say in the reader's language why, and what to do; `again_on` is the
    first day of the next attempt, where one is made.
    """
    people = _People.of(order)

    def params(language: Language) -> dict[str, Any]:
        return {
            "status": collection.status,
            "reason_code": collection.reason_code,
            "meaning": meaning(language),
            "action": action(language),
            "again_on": again_on and again_on.isoformat(),
            "next_cents": order.amount_cents,
            "payer_told": to_payer,
            "amount_cents": collection.amount_cents,
            "attempt": collection.attempt,
        }

    mails = [people.to_office("collection_failed_office", params(people.office_language))]
    if to_payer:
        mails.insert(0, people.to_payer("collection_failed", params(people.payer_language)))
    return mails


@dataclass(frozen=True)
class _People:
    """Whom the mails about one order go to, and what all of them say."""

    order: Order
    event: RegistrationCompleted
    payer_email: str
    payer_language: Language
    params: dict[str, Any]

    @classmethod
    def of(cls, order: Order) -> "_People":
        """Those who are reached now."""
        event = order.reached_now()
        name, email, language = payer_address(event)
        params = _order_params(order, event) | {"payer": name, "payer_email": email}
        return cls(order, event, email, language, params)

    @property
    def office_language(self) -> Language:
        return self.event.office.language

    @property
    def customer_pays_not(self) -> bool:
        """Whether somebody else pays, whose mails the customer does not see."""
        return self.event.payer.kind != "customer" and self.payer_email != self.event.customer.email

    @property
    def payer_is_not_office(self) -> bool:
        """Whether the office does not get the payer's mails."""
        return self.payer_email != self.event.office.email

    def to_payer(self, kind: str, params: dict[str, Any]) -> Mail:
        return self._mail(kind, self.payer_email, self.payer_language, params, answer=True)

    def to_customer(self, kind: str, params: dict[str, Any]) -> Mail:
        customer = self.event.customer
        return self._mail(kind, customer.email, customer.language, params, answer=True)

    def to_office(self, kind: str, params: dict[str, Any]) -> Mail:
        office = self.event.office
        return self._mail(kind, office.email, office.language, params, answer=False)

    def _mail(
        self, kind: str, to: str, language: Language, params: dict[str, Any], *, answer: bool
    ) -> Mail:
        office = self.event.office
        return Mail(
            kind,
            to,
            language,
            self.params | params,
            about=self.order.onboarding_id,
            # An office that pays need not be told to ask itself.
            reply_to=reply_to(office) if answer and to != office.email else None,
        )


def _order_params(order: Order, event: RegistrationCompleted) -> dict[str, Any]:
    terms = order.terms()
    return {
        "order_reference": order.reference,
        "company": event.customer.company,
        "contact": event.customer.contact.full_name,
        "payer_kind": event.payer.kind,
        "greeting": _greeting(event),
        "amount_cents": order.amount_cents,
        "frequency": terms and terms.quote.frequency,
        "creditor": terms and terms.creditor.name,
        "creditor_id": terms and terms.creditor.identifier,
        "not_before": terms and terms.collect_not_before.isoformat(),
        "covered": order.covered_since is not None,
        **office_params(event.office),
    }


def _greeting(event: RegistrationCompleted) -> str:
    """Whom a mail to the payer greets: a customer who pays is a person whom we know."""
    if event.payer.kind == "customer":
        return event.customer.contact.full_name
    return payer_address(event)[0]
