"""What a service does beside consuming: each task on a thread of its own, asleep mostly."""

import math
import threading
import time
from collections.abc import Callable

import structlog

from shared.processing.worker.threads import StoppableThread

log = structlog.get_logger()

BUSY_SECONDS = 2.0
"""How long a task leaves alone what is due and could not be had: another replica holds it, or
the broker is away."""


class Signal:
    """Wakes a task: whoever makes work for it is given this when both are made."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def wake(self) -> None:
        """There is something to do now."""
        self._event.set()

    def clear(self) -> None:
        """What was to be done until now is being done."""
        self._event.clear()

    def is_set(self) -> bool:
        """Whether somebody has woken it since it was cleared."""
        return self._event.is_set()

    def wait(self, seconds: float) -> None:
        """Wait until it is woken, at most so long."""
        self._event.wait(seconds)


class PeriodicTask(StoppableThread):
    """Does one kind of work when it is woken or when some is due, and sleeps in between.

    `work` returns how much it did; while there is more than nothing it goes on at once. `due_in`
    says in how many seconds there is work next; it is asked at least every `every` seconds, for
    what other processes have left. Without it there is work every `every` seconds. `gather` is
    how long it lets more come together, for what is cheaper in one go: after it was woken, unless
    it last did something longer than `succession` seconds ago, and after a piece of less than
    `full`.
    `rest` says how long it pauses after a piece of work that took so many seconds: for what can
    wait, and must not keep machine and database from what cannot. It hears nobody meanwhile, so
    that it rests for `every` seconds at most.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], int],
        *,
        every: float,
        signal: Signal | None = None,
        due_in: Callable[[], float] | None = None,
        gather: float = 0.0,
        succession: float = math.inf,
        full: int = 1,
        rest: Callable[[float], float] = lambda took: 0.0,
    ) -> None:
        super().__init__(name)
        self._work = work
        self._every = every
        self._due_in = due_in or (lambda: every)
        self._gather = gather
        self._succession = succession
        self._full = full
        self._rest = rest
        self._took = 0.0
        self._worked_at = -math.inf
        self._signal = signal or Signal()

    def wake(self) -> None:
        """There is something to do now."""
        self._signal.wake()

    def run(self) -> None:
        """Work until asked to stop."""
        while not self.stopping.is_set():
            self._signal.clear()
            done = self._attempt(self._timed_work, 0)
            if done:
                self._worked_at = time.monotonic()
                rest = min(self._rest(self._took), self._every)
                self.stopping.wait(rest if done >= self._full else max(rest, self._gather))
            else:
                self._sleep()

    def _timed_work(self) -> int:
        """Do a piece of work; how long the database was away before is no part of it."""
        began = time.monotonic()
        try:
            return self._work()
        finally:
            self._took = time.monotonic() - began

    def _sleep(self) -> None:
        """Sleep until woken, or until something is due."""
        busy_seconds = BUSY_SECONDS
        while not (self._signal.is_set() or self.stopping.is_set()):
            due_in = self._attempt(self._due_in, self._every)
            if due_in <= self._every:
                self._signal.wait(due_in if due_in > 0 else busy_seconds)
                break
            self._signal.wait(self._every)
            # What has come since was nobody's to refuse.
            busy_seconds = 0.0
        if self._signal.is_set() and time.monotonic() - self._worked_at <= self._succession:
            self.stopping.wait(self._gather)

    def _attempt(self, question: Callable[[], float], otherwise: float) -> float:
        answers: list[float] = []
        try:
            self.retry_while_down(lambda: answers.append(question()))
        except Exception:
            # What it could not do stays due; a task that ended for it would never try again.
            log.exception("periodic_task_failed", thread=self.name)
        return answers[0] if answers else otherwise

    def stop(self) -> None:
        """Ask it to stop after the piece of work in hand."""
        super().stop()
        self._signal.wake()
