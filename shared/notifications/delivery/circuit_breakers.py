"""The channels, mail and text message, and which of them is to be left alone for a while.

A provider that cannot be reached, turns us away or has a bad day fails for every notification. So
its circuit is open, with growing pauses, and the other channel is free meanwhile.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import tenacity

from shared.notifications.senders.protocol import PerhapsTaken, SendFailed
from shared.processing.retry_policy import PROVIDER_PAUSES

YIELD_TIME = timedelta(seconds=1)
"""Enough for one claim of what goes by the other channel."""

QUICK_RETRIES = tenacity.Retrying(
    # What may have arrived must not arrive three times within a second.
    retry=tenacity.retry_if_exception_type(SendFailed)
    & tenacity.retry_if_not_exception_type(PerhapsTaken),
    stop=tenacity.stop_after_attempt(3),
    wait=tenacity.wait_exponential(multiplier=0.2, max=2),
    reraise=True,
)
"""When it does not leave: twice more, within a second or so."""

R = TypeVar("R")


class CircuitBreakers:
    """What one sender knows of its channels; for its thread alone."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._failures: Counter[str] = Counter()
        self._open_until: dict[str, datetime] = {}

    def open(self) -> Sequence[str]:
        """The channels that nothing is to be handed to now."""
        now = self._clock()
        return [channel for channel in self._open_until if self._closes_at(channel, now) > now]

    def closes_at(self, channel: str) -> datetime:
        """When something may be handed to it: now, or when its pause is over."""
        return self._closes_at(channel, self._clock())

    def _closes_at(self, channel: str, now: datetime) -> datetime:
        until = self._open_until.get(channel, now)
        # A pause that would be longer than the longest was begun by a clock that was ahead.
        return until if now < until <= now + PROVIDER_PAUSES[-1] else now

    def half_open(self, channel: str) -> bool:
        """Whether it failed when it was last tried."""
        return self._failures[channel] > 0

    def call(self, channel: str, send: Callable[[], R]) -> R:
        """Send, with a few quick tries; with one where each may take long."""
        return send() if self.half_open(channel) else QUICK_RETRIES(send)

    def succeeded(self, channel: str) -> None:
        """It took a message: its circuit is closed."""
        self._failures.pop(channel, None)
        self._open_until.pop(channel, None)

    def failed(self, channel: str) -> None:
        """Its circuit opens, for the longer the more often it has failed on end."""
        self._failures[channel] += 1
        pause = PROVIDER_PAUSES[min(self._failures[channel], len(PROVIDER_PAUSES)) - 1]
        self._open_until[channel] = self._clock() + pause

    def yield_turn(self, channel: str) -> None:
        """It works, but filled a whole round: whatever goes by the other channel has a turn."""
        self._open_until[channel] = max(self.closes_at(channel), self._clock() + YIELD_TIME)
