"""Reminders of a confirmation that has not come back: a week, two and three after the order.

They rest for a week when the payer says that the paper was posted, or has sent a scan of it.
"""

from collections.abc import Sequence

from services.billing.commands import RemindUnsigned
from services.billing.models import Order
from shared.processing import Effect, Now, Scheduled
from shared.trade.pauses import MAX_REMINDERS, REMINDER_PAUSE


def schedule_reminder(order: Order, times: int, now: Now) -> Sequence[Effect]:
    """The reminder by this number, a week from now; none after the last."""
    if times > MAX_REMINDERS:
        return ()
    command = RemindUnsigned(order_reference=order.reference or "", times=times)
    key = f"remind_unsigned/{order.reference}/{times}"
    return [Scheduled(command, now + REMINDER_PAUSE, key, about=order.onboarding_id)]


def put_off_reminder(order: Order, times: int, now: Now) -> Sequence[Effect]:
    """The same reminder once more, where the paper has not been under way for a week."""
    if order.returned_at is None or now >= (due := order.returned_at + REMINDER_PAUSE):
        return ()
    command = RemindUnsigned(order_reference=order.reference or "", times=times)
    # The payer may say so again while it rests; each time has a key of its own.
    key = f"remind_unsigned/{order.reference}/{times}/{due:%Y%m%d%H%M%S}"
    return [Scheduled(command, due, key, about=order.onboarding_id)]
