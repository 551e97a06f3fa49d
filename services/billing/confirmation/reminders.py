"""Reminders of a confirmation that has not come back: a week, two and three after the order."""

from collections.abc import Sequence
from datetime import timedelta

from services.billing.commands import RemindUnsigned
from services.billing.models import Order
from shared.processing import Effect, Now, Scheduled

REMINDER_PAUSE = timedelta(days=7)
MAX_REMINDERS = 3


def schedule_reminder(order: Order, times: int, now: Now) -> Sequence[Effect]:
    """The reminder by this number, a week from now; none after the last."""
    if times > MAX_REMINDERS:
        return ()
    command = RemindUnsigned(order_reference=order.reference or "", times=times)
    key = f"remind_unsigned/{order.reference}/{times}"
    return [Scheduled(command, now + REMINDER_PAUSE, key, about=order.onboarding_id)]
