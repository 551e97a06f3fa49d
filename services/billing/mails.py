"""The mails of this step: who gets them, and what fills them in."""

from collections.abc import Callable, Sequence

from services.billing.models import Collection, Order
from shared.events import RegistrationCompleted
from shared.events.shapes import Language
from shared.notifications.messages import Mail

CONFIRMATION = "order_confirmation"
COPY = "order_confirmation_copy"
REMINDER = "order_reminder"
UNDELIVERABLE = "confirmation_undeliverable"


def payer_address(event: RegistrationCompleted) -> tuple[str, str, Language]:
    """Name, e-mail address and language of whoever pays."""
    payer, customer, office = event.payer, event.customer, event.office
    if payer.kind == "office":
        return payer.name or office.name, payer.email or office.email, office.language
    if payer.kind == "other" and payer.email:
        return payer.name or customer.company, payer.email, customer.language
    return customer.company, payer.email or customer.email, customer.language


def confirmation_mails(order: Order) -> Sequence[Mail]:
    """The confirmation to the payer, and always a copy to the office."""
    event = order.reached_now()
    name, to, language = payer_address(event)
    params = _order_params(order, event) | {"payer": name, "payer_email": to}
    return [
        Mail(CONFIRMATION, to, language, params, about=order.onboarding_id),
        Mail(COPY, event.office.email, event.office.language, params, about=order.onboarding_id),
    ]


def reminder_mails(order: Order, times: int) -> Sequence[Mail]:
    """A mail to the payer that the confirmation has not come back yet."""
    event = order.reached_now()
    name, to, language = payer_address(event)
    params = _order_params(order, event) | {"payer": name, "payer_email": to, "times": times}
    return [Mail(REMINDER, to, language, params, about=order.onboarding_id)]


def undeliverable_mail(order: Order, *, reminder: bool, not_made: bool) -> Mail:
    """A mail to the office that the confirmation, or a reminder of it, did not reach the payer.

    `not_made` says that there is no document to send: somebody at KING must look. Otherwise it is
    most likely the payer's address, and the office can mend that.
    """
    event = order.reached_now()
    name, address, _ = payer_address(event)
    params = _order_params(order, event) | {
        "payer": name,
        "payer_email": address,
        "reminder": reminder,
        "not_made": not_made,
    }
    office = event.office
    return Mail(UNDELIVERABLE, office.email, office.language, params, about=order.onboarding_id)


def failure_mails(
    order: Order,
    collection: Collection,
    *,
    meaning: Callable[[Language], str],
    action: Callable[[Language], str],
    to_payer: bool,
) -> Sequence[Mail]:
    """Mails that money did not come, or went back: to the office, and `to_payer` where it helps.

    `meaning` and `action` say in the reader's language why, and what happens next.
    """
    event = order.reached_now()
    name, to, language = payer_address(event)
    mails = [("collection_failed_office", event.office.email, event.office.language)]
    if to_payer:
        mails.insert(0, ("collection_failed", to, language))
    return [
        Mail(
            kind,
            recipient,
            tongue,
            _order_params(order, event)
            | {
                "payer": name,
                "status": collection.status,
                "reason_code": collection.reason_code,
                "meaning": meaning(tongue),
                "action": action(tongue),
                "amount_cents": collection.amount_cents,
                "attempt": collection.attempt,
            },
            about=order.onboarding_id,
        )
        for kind, recipient, tongue in mails
    ]


def _order_params(order: Order, event: RegistrationCompleted) -> dict[str, object]:
    return {
        "order_reference": order.reference,
        "company": event.customer.company,
        "office": event.office.name,
        "office_email": event.office.email,
        "amount_cents": order.amount_cents,
        "covered": order.covered_since is not None,
    }
