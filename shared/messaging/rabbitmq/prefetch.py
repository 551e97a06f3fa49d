"""How many messages a consumer is to have in hand: few at first, all once they prove harmless.

RabbitMQ bounds their number and not their size, and what dies with a process counts as delivered
once more, each of them. So a consumer begins with few, and has many only after some were dealt
with, and while their bodies are small enough for so many to be in hand.
"""

FIRST_PREFETCH = 20
"""How many are in hand at first, and for as long as they are large."""


class Prefetch:
    """How many of one channel's messages may be in hand, by what came and what became of it."""

    def __init__(self, most: int, bound_bytes: int) -> None:
        self.first = min(FIRST_PREFETCH, most)
        self.rest = most - self.first
        self._most = most
        self._bound_bytes = bound_bytes
        self.begin()

    def begin(self) -> None:
        """A channel is new: what it delivers may have killed the one before."""
        self.wide = False
        self._dealt_with = 0
        self._usual_bytes = 0.0

    @property
    def now(self) -> int:
        """How many may be in hand now."""
        return self._most if self.wide else self.first

    def note_arrival(self, size: int) -> None:
        """A body of this size came."""
        self._usual_bytes += (size - self._usual_bytes) / FIRST_PREFETCH

    def note_dealt_with(self, number: int) -> None:
        """So many were acknowledged."""
        self._dealt_with += number

    def should_widen(self) -> bool:
        """Whether all may be in hand from now on."""
        proven = self._dealt_with >= self.first
        return not self.wide and bool(self.rest) and proven and self._would_take() <= 0.5

    def should_narrow(self) -> bool:
        """Whether only few may be in hand from now on: they have become too large."""
        return self.wide and self._would_take() > 1.0

    def _would_take(self) -> float:
        """Which part of the bound all of them would take."""
        return self._usual_bytes * self._most / self._bound_bytes
