"""The signed confirmation: what may stand on it, what is on record, what a second one changes."""

from datetime import date
from typing import Any

from services.billing.commands import SignOrder
from services.billing.models import Mandate, Order
from services.billing.models.mandate import life_before
from shared.base.errors import Conflict, FieldError, Invalid
from shared.events.billing import SignatureMethod

STANDING_MANDATE: SignatureMethod = "standing_mandate"
ONLINE: SignatureMethod = "online"


def require_day(command: SignOrder, order: Order, today: date) -> None:
    """Refuse a day on which nobody can have signed this confirmation.

    Raises:
        Invalid: it is in the future, before the order, or so long ago that a mandate of that day
            has lapsed (36 months, SEPA rulebooks).
    """
    code, message = None, ""
    if command.signed_on > today:
        code = "in_the_future"
        message = "A confirmation cannot have been signed in the future; check the date."
    elif command.signed_on < life_before(today):
        code = "lapsed"
        message = "A mandate of more than 36 months ago has lapsed; have it signed again."
    elif order.placed_on is not None and command.signed_on < order.placed_on:
        code = "before_the_order"
        message = (
            f"This order was placed on {order.placed_on}; its confirmation cannot have been "
            "signed before that. Check the date."
        )
    if code is not None:
        error = FieldError(field="signed_on", code=code, message=message)
        raise Invalid("invalid", message, errors=[error])


def account_on_paper(command: SignOrder, order: Order, mandate: Mandate) -> tuple[str, str]:
    """IBAN and holder on the signed paper: filled in there, or printed from the sign-up.

    An account that the bank refused must be filled in again by whoever means it all the same.

    Raises:
        Invalid: neither the paper nor anybody before it gave an IBAN.
    """
    payer = order.registration().payer
    iban = command.iban or known_iban(order, mandate)
    if iban is None:
        message = "No IBAN is known yet; take it over from the signed confirmation."
        if mandate.refused and mandate.signed_on:
            message = "The bank refused this account; take the IBAN over from the new signature."
        error = FieldError(field="iban", code="iban_missing", message=message)
        raise Invalid("iban_missing", message, errors=[error])
    holders = {mandate.iban: mandate.account_holder, payer.iban: payer.account_holder}
    return iban, command.account_holder or holders.get(iban) or command.signed_by


def known_iban(order: Order, mandate: Mandate) -> str | None:
    """The account that a signature may be given for without naming one: not what was refused."""
    printed = mandate.iban if order.signed else order.registration().payer.iban or mandate.iban
    refused = mandate.iban if mandate.refused and mandate.signed_on else None
    return printed if printed != refused else None


def is_recorded(command: SignOrder, order: Order, mandate: Mandate) -> bool:
    """Whether this is the signature on record: the same paper, by post and by fax.

    A signature that was given online is no paper. The paper of an order that a standing mandate
    covers is no news when it names its account.
    """
    if command.iban not in (None, mandate.iban):
        return False
    if order.signature_method == STANDING_MANDATE:
        return True
    if (command.method == ONLINE) != (order.signature_method == ONLINE):
        return False
    same_holder = command.account_holder in (None, mandate.account_holder)
    paper = command.signed_on, command.signed_by
    return same_holder and paper == (order.signed_on, order.signed_by)


def is_newer(command: SignOrder, order: Order, mandate: Mandate) -> bool:
    """Whether this was signed after what is on record, or for another account no earlier."""
    if mandate.signed_on is None:
        return True
    if command.signed_on < mandate.signed_on:
        return False
    later = order.signed_on is None or command.signed_on > order.signed_on
    return later or command.iban not in (None, mandate.iban)


def already_signed(order: Order, mandate: Mandate) -> Conflict:
    """The refusal of a second signature with other data, with what is on record."""
    return Conflict(
        "already_signed",
        "This order is signed already, with other data. Take that signature back when it is a "
        "mistake; a new account can be signed for when KING's collection has failed.",
        extra={"recorded": recorded(order, mandate)},
    )


def recorded(order: Order, mandate: Mandate) -> dict[str, Any]:
    """What is on record of a signature: whose order, how much, from which account."""
    return {
        "order_reference": order.reference or "",
        "company": order.registration().customer.company,
        "amount_cents": order.amount_cents,
        "currency": order.currency,
        "method": order.signature_method,
        "signed_on": order.signed_on and order.signed_on.isoformat(),
        "signed_by": order.signed_by,
        "received_at": order.received_at and order.received_at.isoformat(),
        "mandate_reference": mandate.reference,
        "iban_ends_with": (mandate.iban or "")[-4:] or None,
        "account_holder": mandate.account_holder,
    }
