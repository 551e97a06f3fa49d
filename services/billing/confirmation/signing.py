"""The signed confirmation: what it says of the account, and what a second one changes."""

from collections.abc import Sequence

from services.billing.collection.process import CollectionProcess
from services.billing.commands import SignOrder
from services.billing.models import Mandate, Order
from shared.base.errors import FieldError, Invalid
from shared.processing import Effect


def account_on_paper(command: SignOrder, order: Order, mandate: Mandate) -> tuple[str, str]:
    """IBAN and holder on the signed paper: filled in there, or printed from the sign-up.

    Raises:
        Invalid: neither the paper nor anybody before it gave an IBAN.
    """
    payer = order.registration().payer
    iban = command.iban or payer.iban or mandate.iban
    if iban is None:
        message = "No IBAN is known yet; take it over from the signed confirmation."
        error = FieldError(field="iban", code="iban_missing", message=message)
        raise Invalid("iban_missing", message, errors=[error])
    holders = {mandate.iban: mandate.account_holder, payer.iban: payer.account_holder}
    return iban, command.account_holder or holders.get(iban) or command.signed_by


def sign_anew(
    command: SignOrder, process: CollectionProcess, mandate: Mandate, holder: str
) -> Sequence[Effect]:
    """Have KING collect from the other account that a payer signs for after a failure.

    Whatever else comes of an order that was signed before is the same paper, by post and by fax.
    """
    if command.iban is None or mandate.signed_on is None or command.signed_on < mandate.signed_on:
        return []
    if command.iban == mandate.iban and (process.in_hand or process.asked_since(mandate.signed_on)):
        return []  # Otherwise the mandate was amended, and this order not yet collected under it.
    return process.amend(command.signed_on, command.iban, holder)
