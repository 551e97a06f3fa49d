"""Waiting for messages: the half of `Bus.receive` that is the same for every bus."""

import threading
import time
from collections.abc import Callable

from shared.messaging.bus import Incoming

Take = Callable[[int], list[Incoming]]
"""Takes at most so many messages of what is there now; called with the lock held."""


class Reception:
    """Gathers batches for `receive`, asleep until there is something to gather."""

    def __init__(self, lock: "threading.Lock | None" = None) -> None:
        self.lock = lock or threading.Lock()
        self._stirred = threading.Condition(self.lock)
        self._gathering = 0
        self._first_awaited = 0
        self._wanted = 1
        self._interrupted = False
        self.closed = False

    def gather(self, take: Take, limit: int, wait: float, linger: float) -> list[Incoming]:
        """Wait at most `wait` seconds for a message, then `linger` for up to `limit` of them."""
        received: list[Incoming] = []

        def enough(number: int) -> bool:
            received.extend(take(limit - len(received)))
            self._wanted = limit - len(received)
            return len(received) >= number

        with self.lock:
            self._gathering += 1
            self._first_awaited += 1
            self._wait(lambda: enough(1), wait)
            self._first_awaited -= 1
            if received:
                self._wait(lambda: enough(limit), linger)
            self._gathering -= 1
            if not self._gathering:
                # Everybody who was waiting has heard it.
                self._interrupted = False
        return received

    def _wait(self, enough: Callable[[], bool], seconds: float) -> None:
        """Wait until there is enough, time is up, or somebody interrupts."""
        deadline = time.monotonic() + seconds
        while not self.closed and not enough() and not self._interrupted:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            self._stirred.wait(left)

    def stir(self, ready: int) -> None:
        """Wake who waits, now that `ready` messages are there; with the lock held.

        Who lingers is left alone until there is all that it wants: to wake a thread for each
        message costs more than the message does.
        """
        if self._first_awaited or ready >= self._wanted:
            self._stirred.notify_all()

    def interrupt(self) -> None:
        """Make every waiting `gather`, or else the next one, return at once."""
        with self.lock:
            self._interrupted = True
            self._stirred.notify_all()

    def close(self) -> None:
        """Make every `gather` return at once from now on; with the lock held."""
        self.closed = True
        self._stirred.notify_all()
