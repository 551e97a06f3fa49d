"""Reminders of a confirmation that has not come back: a week, two and three after the order.

They rest for a week when the payer says that the paper was posted, or has sent a scan of it. When a
signature that was recorded by mistake is taken back, they begin anew from then.
"""

from collections.abc import Sequence
from datetime import datetime

from services.billing.commands import RemindUnsigned
from services.billing.models import Collection, Order
from services.billing.models.collection import SLIP
from shared.processing import Effect, Now, Scheduled
from shared.trade.pauses import MAX_REMINDERS, REMINDER_PAUSE


def slips_of(collections: Sequence[Collection]) -> int:
    """How often a signature of this order was taken back: each time KING's order was called off."""
    return sum(row.called_off == SLIP for row in collections)


def schedule_reminder(order: Order, times: int, now: Now, slips: int = 0) -> Sequence[Effect]:
    """The reminder by this number, a week from now; none after the last."""
    if times > MAX_REMINDERS:
        return ()
    return [_reminder(order, times, now + REMINDER_PAUSE, slips)]


def put_off_reminder(order: Order, times: int, now: Now, slips: int = 0) -> Sequence[Effect]:
    """The same reminder once more, where the paper has not been under way for a week."""
    if order.returned_at is None or now >= (due := order.returned_at + REMINDER_PAUSE):
        return ()
    # The payer may say so again while it rests; each time has a key of its own.
    return [_reminder(order, times, due, slips, f"/{due:%Y%m%d%H%M%S}")]


def _reminder(order: Order, times: int, due: datetime, slips: int, put_off: str = "") -> Scheduled:
    command = RemindUnsigned(
        order_reference=order.reference or "", times=times, slips=slips or None
    )
    # The weeks after a slip have keys of their own: those of before may be over, or under way.
    anew = f"/anew-{slips}" if slips else ""
    key = f"remind_unsigned/{order.reference}/{times}{put_off}{anew}"
    return Scheduled(command, due, key, about=order.onboarding_id)
