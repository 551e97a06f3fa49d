"""Releasing the customer, or taking that back: what an order's standing makes billing say."""

from collections.abc import Sequence

from services.billing.models import Collection, Order, Standing
from services.billing.models.reasons import reason_for
from services.billing.models.results import TAKEN_BACK
from shared.events import CustomerReleased, CustomerReleaseWithdrawn
from shared.processing import Effect, EventFor


def update_standing(
    order: Order, collections: Sequence[Collection], cause: str | None = None
) -> list[Effect]:
    """Cancel what need not be collected, and say it when the order's standing has changed.

    A withdrawal gives its own `cause`.
    """
    effects = _cancel_needless(order, collections)
    was_released = order.released
    changed = order.derive_standing(collections)
    reference = order.reference or ""
    if changed is Standing.RELEASED:
        released = CustomerReleased(order_reference=reference, revision=order.revision)
        return [*effects, EventFor(order.onboarding_id, released)]
    if changed is not None and (changed is Standing.TAKEN_BACK or was_released):
        reason_code, why = _why_taken_back(order, collections)
        withdrawn = CustomerReleaseWithdrawn(
            order_reference=reference,
            revision=order.revision,
            reason_code=reason_code,
            cause=cause or why,
        )
        return [*effects, EventFor(order.onboarding_id, withdrawn)]
    return effects


def _cancel_needless(order: Order, collections: Sequence[Collection]) -> list[Effect]:
    """KING need not collect from a customer who left, nor what another attempt has brought.

    What was called off stays so: KING is told again when it goes on with it.
    """
    if order.withdrawn:
        events = [row.cancel("withdrawn") for row in collections]
    else:
        events = [row.cancel(row.called_off) for row in collections if row.called_off]
        under_way = [row for row in collections if row.under_way]
        if under_way and any(row.paid for row in collections):
            events += [row.cancel_if_open("collected") for row in under_way]
    return [EventFor(order.onboarding_id, event) for event in events if event is not None]


def _why_taken_back(order: Order, collections: Sequence[Collection]) -> tuple[str, str]:
    """Reason code and cause, from what is known rather than from what was heard last."""
    if order.withdrawn:
        return "WITHDRAWN", "withdrawn"
    back = [row for row in collections if row.status in TAKEN_BACK]
    # Money that had come, and of which a failure is heard late, did not come after all.
    failed = [row for row in collections if row.status == "failed"]
    last = max(back or failed, key=lambda row: (row.attempt, row.end_to_end_id), default=None)
    if last is None:
        return "UNPAID", "unpaid"
    if not last.reason_code:
        return last.status, last.status
    return last.reason_code, reason_for(last.reason_code).cause
