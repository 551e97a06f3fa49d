"""After how long things happen by themselves: billing does them, activation foretells them."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

from shared.trade.calendar import next_banking_day

REMINDER_PAUSE = timedelta(days=7)
MAX_REMINDERS = 3
"""Of a confirmation that has not come back: a week, two and three after the order."""


class Retry(NamedTuple):
    """After how many days a collection is tried again, and how many times at most."""

    days: int
    times: int


RETRIES: Mapping[str, Retry] = {"AM04": Retry(7, 2), "MS03": Retry(7, 1)}
"""The bank's reasons (ISO 20022) that time heals; for any other another try makes no sense."""


def first_collection_day(notified_on: date, prenotification_days: int) -> date:
    """The first banking day after the pre-notification term."""
    return next_banking_day(notified_on + timedelta(days=prenotification_days))
