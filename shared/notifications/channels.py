"""The ways out, by mail and by text message, and which of them is to be left alone for a while.

A service that cannot be reached, sends us away or has a bad day fails for every letter. So its
way rests, with growing pauses, and the other one is free meanwhile.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import tenacity

from shared.notifications.senders import SendFailed

RESTS = (
    timedelta(seconds=1),
    timedelta(seconds=5),
    timedelta(seconds=15),
    timedelta(minutes=1),
    timedelta(minutes=5),
)
"""After the first, second, … failure on end; the last one stays."""
TURN = timedelta(seconds=1)
"""Enough for one claim of what goes the other way."""

R = TypeVar("R")


class Channels:
    """What one postman knows of his ways out; for his thread alone."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._failures: Counter[str] = Counter()
        self._closed_until: dict[str, datetime] = {}

    def resting(self) -> Sequence[str]:
        """Those that nothing is to be handed to now."""
        now = self._clock()
        return [one for one, until in self._closed_until.items() if now < until]

    def open_from(self, channel: str) -> datetime:
        """When something may be handed to it: now, or when its rest is over."""
        now = self._clock()
        return max(now, self._closed_until.get(channel, now))

    def in_doubt(self, channel: str) -> bool:
        """Whether it failed when it was last tried."""
        return self._failures[channel] > 0

    def hand_over(self, channel: str, send: Callable[[], R]) -> R:
        """Send, with a few quick tries; with one where the way may hang, for each may take long."""
        return send() if self.in_doubt(channel) else quickly(send)

    def worked(self, channel: str) -> None:
        """It took a letter."""
        self._failures.pop(channel, None)
        self._closed_until.pop(channel, None)

    def failed(self, channel: str) -> None:
        """It is to rest, the longer the more often it has failed on end."""
        self._failures[channel] += 1
        rest = RESTS[min(self._failures[channel], len(RESTS)) - 1]
        self._closed_until[channel] = self._clock() + rest

    def make_way(self, channel: str) -> None:
        """It works, but filled a whole round: whatever goes the other way has a turn."""
        self._closed_until[channel] = max(self.open_from(channel), self._clock() + TURN)


def quickly(send: Callable[[], R]) -> R:
    """Send, and when it does not leave, try again twice within a second or so."""
    tries = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(SendFailed),
        stop=tenacity.stop_after_attempt(3),
        wait=tenacity.wait_exponential(multiplier=0.2, max=2),
        reraise=True,
    )
    return tries(send)
