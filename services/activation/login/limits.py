"""How many wrong passwords are taken before any is compared: from one address, and for one name.

They are counted in memory, by each process for itself. The count for a name leaves out the ways
by which its customer came in before, so that nobody shuts them out from afar.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from services.activation.login.tries import too_many

FROM_ADDRESS = 100
FOR_NAME = 50
FORGOTTEN = 20
"""So often somebody at one address may say that a password is forgotten."""
WITHIN = 900.0
"""Seconds for which a wrong password counts."""
MOST_KEYS = 20_000
"""So many addresses or names are remembered; the one that was quiet longest is forgotten first."""


class Limit:
    """At most so many within so many seconds, for each key."""

    def __init__(
        self, most: int, within: float = WITHIN, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._within, self._clock = most, within, clock
        self._moments: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str) -> None:
        """Count one more.

        Raises:
            TooManyRequests: there were too many; it says in how many seconds there is room.
        """
        now = self._clock()
        with self._lock:
            moments = self._moments.setdefault(key, deque())
            self._moments.move_to_end(key)
            while moments and moments[0] <= now - self._within:
                moments.popleft()
            if len(moments) >= self._most:
                raise too_many(moments[0] + self._within - now)
            moments.append(now)
            if len(self._moments) > MOST_KEYS:
                self._moments.popitem(last=False)

    def give_back(self, key: str) -> None:
        """Count one less: it was no wrong password after all."""
        with self._lock:
            moments = self._moments.get(key)
            if moments:
                moments.pop()
            if not moments:
                self._moments.pop(key, None)


@dataclass(frozen=True)
class Limits:
    """The limits of one process."""

    addresses: Limit = field(default_factory=lambda: Limit(FROM_ADDRESS))
    names: Limit = field(default_factory=lambda: Limit(FOR_NAME))
    forgotten: Limit = field(default_factory=lambda: Limit(FORGOTTEN))
    lines: Limit = field(default_factory=lambda: Limit(1, within=1.0))
    """Of the log, for one reason: a flood must not fill it."""
