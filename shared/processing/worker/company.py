"""How long who consumes waits for more messages, before it deals with those it has."""

import time
from collections.abc import Callable

LINGER_SECONDS = 0.02
"""How long messages wait for company, once some have come together or in quick succession: a
transaction costs ten times what one more message in it does."""

SUCCESSION_SECONDS = 0.015
"""Who comes so soon after the one before is of its company; who was waited for in vain is not."""


class Company:
    """Whether messages come in company, as the threads that consume for one service see it.

    One that comes alone is dealt with at once.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._in_company = False
        self._came_at = -SUCCESSION_SECONDS

    @property
    def linger(self) -> float:
        """Seconds for which the next message waits for others."""
        return LINGER_SECONDS if self._in_company else 0.0

    def note(self, count: int) -> None:
        """So many messages have come now."""
        now = self._clock()
        succession = now - self._came_at < SUCCESSION_SECONDS
        self._in_company = count > 1 or (count == 1 and succession)
        if count:
            self._came_at = now
