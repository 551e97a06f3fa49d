"""What a person may decide about a held result."""

from collections.abc import Sequence
from typing import Any

from services.billing.commands import DecideResult
from services.billing.models import UnmatchedResult
from services.billing.models.money import HeldResult
from shared.base.errors import Conflict
from shared.processing import Effect


def require_acceptable(held: HeldResult, shortfall_cents: int) -> None:
    """Refuse to let too little, or another currency, count as the order's amount.

    More may be accepted: what is too much stays noted as to be paid back. `shortfall_cents` is
    by how much less may be.

    Raises:
        Conflict: what is missing, and what was expected and reported.
    """
    fact, expected = held.fact, held.collection
    extra: dict[str, Any] = {
        "expected": {"amount_cents": expected.amount_cents, "currency": expected.currency},
        "reported": {"amount_cents": fact["amount_cents"], "currency": fact["currency"]},
    }
    if fact["currency"] != expected.currency:
        raise Conflict(
            "other_currency",
            f"This is money in {fact['currency']}, and the order is in {expected.currency}; it "
            "cannot be accepted. Dismiss it, and have the payer pay the order.",
            extra=extra,
        )
    missing = expected.amount_cents - fact["amount_cents"]
    if fact["status"] == "succeeded" and missing > shortfall_cents:
        raise Conflict(
            "amount_short",
            f"{missing} cents are missing of {expected.amount_cents}, and no more than "
            f"{shortfall_cents} may be. Dismiss it, and collect the order in full.",
            extra={**extra, "missing_cents": missing, "acceptable_cents": shortfall_cents},
        )


def decide_unmatched(command: DecideResult, row: UnmatchedResult) -> Sequence[Effect]:
    """Dismiss a result whose order is not known; nothing more comes of it.

    Raises:
        Conflict: there is no order on which it could be accepted.
    """
    if command.decision == "accept":
        raise order_unknown()
    row.dismiss(command.reason, command.by)
    return []


def order_unknown() -> Conflict:
    """The refusal to let money count for an order that is not known."""
    return Conflict(
        "order_unknown",
        "The order of this result is not known, so it cannot be accepted; correct the "
        "report, or dismiss it.",
    )
