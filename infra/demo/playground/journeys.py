"""Customers who are sent through all seven steps while somebody looks on."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from infra.demo.simulators import website

if TYPE_CHECKING:
    from infra.demo.demonstration import Demonstration
    from shared.messaging.bus import Bus

log = structlog.get_logger()

PATIENCE_SECONDS = 90.0
"""How long nothing may move before they are left to themselves: a mail outage lasts shorter."""
MOST_AT_ONCE = 50


@dataclass(frozen=True)
class Progress:
    """How far those are who were sent last: steps that are done, of all their steps."""

    customers: int = 0
    done: int = 0
    total: int = 0
    is_running: bool = False


class Journeys:
    """Plays everybody's part for some customers at a time, on a thread of its own."""

    def __init__(self, play: "Callable[[], Demonstration]", line: "Callable[[], Bus]") -> None:
        self._play, self._line = play, line
        self._lock = threading.Lock()
        self._progress = Progress()

    @property
    def progress(self) -> Progress:
        """How far they are."""
        with self._lock:
            return self._progress

    def send(self, count: int) -> bool:
        """Send so many customers through; whether that has begun, or others are still under way."""
        count = min(count, MOST_AT_ONCE)
        with self._lock:
            if self._progress.is_running:
                return False
            self._progress = Progress(count, 0, 7 * count, is_running=True)
        threading.Thread(target=self._run, args=[count], name="journeys", daemon=True).start()
        return True

    def _run(self, count: int) -> None:
        try:
            shown = self._play()
            try:
                shown.emit(self._line(), self._documents(count))
                shown.play(self._step, PATIENCE_SECONDS)
            finally:
                shown.close()
        except Exception:
            # Whatever ends it early, it must not stay `is_running`: nobody could be sent after
            # that. Who looks on sees how far they came.
            log.warning("journeys_ended_early", exc_info=True)
        with self._lock:
            last = self._progress
            self._progress = Progress(last.customers, last.done, last.total)

    @staticmethod
    def _documents(count: int) -> list[website.Document]:
        """Customers made up for the occasion: the shipped examples would be taken for doubles."""
        shipped = len(website.examples())
        return list(website.signups(shipped + count))[shipped:]

    def _step(self, _company: str, _step: str, _what: str) -> None:
        with self._lock:
            last = self._progress
            self._progress = Progress(last.customers, last.done + 1, last.total, is_running=True)
