"""A clock that stands still until it is told to go on, so that a page shows the same every day."""

import threading
from datetime import UTC, datetime, timedelta

MONDAY_MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""Ten o'clock in Amsterdam, on a business day, weeks away from a change of the hour."""

TICK = timedelta(microseconds=1)


class StandingClock:
    """The time for all services of a stage.

    Each look is a microsecond later than the one before: of two things that happen, one is
    still the later one.
    """

    def __init__(self, start: datetime = MONDAY_MORNING) -> None:
        self._now = start
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        """What time it is."""
        with self._lock:
            self._now += TICK
            return self._now

    def let_pass(self, time: timedelta) -> None:
        """Move on. There is no way back: what has happened would lie in the future."""
        if time < timedelta():
            raise ValueError("time goes forward only; begin another stage for an earlier moment")
        with self._lock:
            self._now += time
