"""Messages in batches: waiting for those that come in, and the results of those that go out."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from shared.messaging.bus import BATCH_BYTES, Incoming, PublishResult


class Room:
    """What one batch has room for: so many messages, and so many bytes of bodies."""

    def __init__(self, limit: int, most_bytes: int = BATCH_BYTES) -> None:
        self._limit = limit
        self._most_bytes = most_bytes
        self._number = self._bytes = 0
        self._turned_away = False

    @property
    def left(self) -> int:
        """How many more messages may come in."""
        return 0 if self._turned_away else self._limit - self._number

    def admit(self, size: int) -> bool:
        """Let a body of this size in, unless it no longer fits; the first one always does.

        What is turned away closes the batch: it is first in the next.
        """
        if self.left <= 0:
            return False
        if self._number and self._bytes + size > self._most_bytes:
            self._turned_away = True
            return False
        self._number += 1
        self._bytes += size
        return True


Take = Callable[[Room], list[Incoming]]
"""Takes what is there now, as far as there is room; called with the lock held."""


class BatchBuffer:
    """Collects batches for `receive`, asleep until there is something to collect.

    It is the half of `Bus.receive` that is the same for every bus.
    """

    def __init__(self, lock: "threading.Lock | None" = None) -> None:
        self.lock = lock or threading.Lock()
        self._changed = threading.Condition(self.lock)
        self._collectors = 0
        self._waiting_for_first = 0
        self._lingering: Room | None = None
        self._interrupted = False
        self.closed = False

    def collect(self, take: Take, limit: int, wait: float, linger: float) -> list[Incoming]:
        """Wait at most `wait` seconds for a message, then `linger` for up to `limit` of them."""
        batch: list[Incoming] = []
        room = Room(limit)

        def enough(number: int) -> bool:
            batch.extend(take(room))
            return len(batch) >= number or not room.left

        with self.lock:
            self._collectors += 1
            self._waiting_for_first += 1
            # Those that come while another thread lingers are left to it.
            self._wait(lambda: self._lingering is None and enough(1), wait)
            self._waiting_for_first -= 1
            if batch:
                self._lingering = room
                self._wait(lambda: enough(limit), linger)
                self._lingering = None
                if not room.left and self._waiting_for_first:
                    self._changed.notify_all()  # For those it had no room for.
            self._collectors -= 1
            if not self._collectors:
                # Everybody who was waiting has heard it.
                self._interrupted = False
        return batch

    def _wait(self, enough: Callable[[], bool], seconds: float) -> None:
        """Wait until there is enough, time is up, or somebody interrupts."""
        deadline = time.monotonic() + seconds
        while not self.closed and not enough() and not self._interrupted:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return
            self._changed.wait(remaining)

    def notify(self, available: int) -> None:
        """Wake who waits, now that `available` messages are there; with the lock held.

        Who lingers is left alone until there is all that it wants, and who waits for a first one
        leaves it those that come meanwhile: to wake a thread for each message costs more than the
        message does.
        """
        lingering = self._lingering
        if available >= lingering.left if lingering else self._waiting_for_first:
            self._changed.notify_all()

    def interrupt(self) -> None:
        """Make every waiting `collect`, or else the next one, return at once."""
        with self.lock:
            self._interrupted = True
            self._changed.notify_all()

    def close(self) -> None:
        """Make every `collect` return at once from now on; with the lock held."""
        self.closed = True
        self._changed.notify_all()


class PendingBatch:
    """The result of each message of a `publish`, and the future that will give them all.

    Not locked: its bus sees to it that one thread at a time writes.
    """

    def __init__(self, size: int) -> None:
        self.future: Future[list[PublishResult]] = Future()
        # Nobody can take back what was published.
        self.future.set_running_or_notify_cancel()
        self._results: list[PublishResult | None] = [None] * size
        self._missing = size

    @classmethod
    def resolved(cls, result: PublishResult, size: int) -> "Future[list[PublishResult]]":
        """The future of messages that all have the same result, at once."""
        batch = cls(size)
        for index in range(size):
            batch.record(index, result)
        batch.resolve()
        return batch.future

    def record(self, index: int, result: PublishResult) -> None:
        """Write down the result of one message; the first result stands."""
        if self._results[index] is None:
            self._results[index] = result
            self._missing -= 1

    @property
    def complete(self) -> bool:
        """Whether every message has its result."""
        return not self._missing

    def resolve(self) -> None:
        """Give the publisher the results; its callbacks run here, so hold no lock."""
        self.future.set_result([result or PublishResult.UNKNOWN for result in self._results])
