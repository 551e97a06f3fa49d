"""How many bytes a service has in hand, of bodies that came or that are to leave."""

import threading
from collections.abc import Iterable

from shared.messaging.bus import IN_HAND_BYTES, Incoming, Outgoing

ROOM_AGAIN = 0.75
"""It takes more only when so much of the bound is in hand: not for each body that leaves."""


class BytesInHand:
    """The bodies of messages that are neither dealt with nor let go; for any thread."""

    def __init__(self, bound: int = IN_HAND_BYTES) -> None:
        self.bound = bound
        self.number = 0
        self.peak = 0
        self._lock = threading.Lock()

    def add(self, size: int) -> None:
        """Bodies of this size have come in."""
        with self._lock:
            self.number += size
            self.peak = max(self.peak, self.number)

    def remove(self, messages: Iterable[Incoming | Outgoing]) -> None:
        """These are dealt with, or were let go."""
        size = sum(len(message.body) for message in messages)
        with self._lock:
            self.number -= size

    @property
    def full(self) -> bool:
        """Whether nothing more is to come in now."""
        return self.number >= self.bound

    @property
    def has_room(self) -> bool:
        """Whether what was held up may go on."""
        return self.number <= self.bound * ROOM_AGAIN
