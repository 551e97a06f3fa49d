"""BEVESTIGEN: what the signed paper says of the account, and what a second one changes."""

from collections.abc import Sequence

from services.billing.collecting import Ledger
from services.billing.commands import SignOrder
from services.billing.models import Mandate, Order
from shared.base.errors import FieldError, Invalid
from shared.processing import Effect


def account_on_paper(request: SignOrder, order: Order, mandate: Mandate) -> tuple[str, str]:
    """IBAN and holder on the signed paper: filled in there, or printed from the sign-up.

    Raises:
        Invalid: neither the paper nor anybody before it gave an IBAN.
    """
    payer = order.registration().payer
    iban = request.iban or payer.iban or mandate.iban
    if iban is None:
        message = "No IBAN is known yet; take it over from the signed confirmation."
        error = FieldError(field="iban", code="iban_missing", message=message)
        raise Invalid("iban_missing", message, errors=[error])
    holders = {mandate.iban: mandate.account_holder, payer.iban: payer.account_holder}
    return iban, request.account_holder or holders.get(iban) or request.signed_by


def sign_anew(
    request: SignOrder, ledger: Ledger, mandate: Mandate, holder: str
) -> Sequence[Effect]:
    """After a collection that failed the payer may sign for another account.

    Whatever else comes of an order that was signed before is the same paper, by post and by fax.
    """
    if request.iban is None or mandate.signed_on is None or request.signed_on < mandate.signed_on:
        return []
    if request.iban == mandate.iban and (ledger.in_hand or ledger.asked_since(mandate.signed_on)):
        return []  # Otherwise the mandate was amended, and this order not yet collected under it.
    return ledger.amend(request.signed_on, request.iban, holder)
