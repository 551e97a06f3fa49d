"""The threads of a running service: some consume, one sends mail, the others do chores."""

import threading
import time
from collections.abc import Callable, Sequence

import structlog
import tenacity

from shared.crash_points import reached
from shared.errors import InfrastructureDown
from shared.messaging.bus import Bus, Incoming
from shared.processing.dispatch import Dispatcher

log = structlog.get_logger()

BATCH = 200
"""At most this many messages share a transaction; more gains little and locks longer."""

CONSUMERS = 2
"""Threads that consume for one service: one handles while the other waits for the database."""

LINGER_SECONDS = 0.003
"""How long a lone message waits for company."""


class StoppableThread(threading.Thread):
    """A thread that can be asked to stop, and that tells whether it is held up."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.stopping = threading.Event()
        self.held_up = False

    def insist(self, work: Callable[[], object]) -> bool:
        """Do the work, again and again while database or broker is away.

        Returns False when asked to stop before it was done. No attempt is counted meanwhile.
        """
        patience = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(InfrastructureDown),
            wait=tenacity.wait_exponential_jitter(multiplier=0.1, max=10, jitter=0.5),
            stop=tenacity.stop_when_event_set(self.stopping),
            sleep=tenacity.sleep_using_event(self.stopping),
            before_sleep=self._say_held_up,
        )
        try:
            patience(work)
        except tenacity.RetryError:
            return False
        if self.held_up:
            log.info("infrastructure_back", thread=self.name)
        self.held_up = False
        return True

    def _say_held_up(self, state: tenacity.RetryCallState) -> None:
        if not self.held_up:
            error = state.outcome.exception() if state.outcome else None
            log.warning("infrastructure_down", thread=self.name, error=str(error))
        self.held_up = True


class Consumption(StoppableThread):
    """Receives batches, has them dealt with, and acknowledges them."""

    def __init__(self, name: str, bus: Bus, dispatcher: Dispatcher) -> None:
        super().__init__(f"{name}-consumption")
        self._bus = bus
        self._dispatcher = dispatcher

    def run(self) -> None:
        """Consume until asked to stop; a batch in hand is finished first."""
        while not self.stopping.is_set():
            batch = self._bus.receive(BATCH, wait=30.0, linger=LINGER_SECONDS)
            if batch and self._deal_with(batch):
                reached("acknowledge.before")
                self._bus.acknowledge(batch)
                reached("acknowledge.after")

    def _deal_with(self, batch: Sequence[Incoming]) -> bool:
        try:
            return self.insist(lambda: self._dispatcher.take(batch))
        except Exception:
            # What is not acknowledged comes again: nothing is lost, but a person must look.
            log.exception("batch_failed", thread=self.name, messages=len(batch))
            self.stopping.wait(1.0)
            return self.insist(lambda: self._one_by_one(batch))

    def _one_by_one(self, batch: Sequence[Incoming]) -> None:
        """Find the one that nothing was prepared for, and keep it as a dead letter.

        Without memory nothing can be told about a message: the thread ends, and the process.
        """
        for one in batch:
            try:
                self._dispatcher.take([one])
            except (InfrastructureDown, MemoryError):
                raise
            except Exception as fault:
                log.exception("message_unforeseen", thread=self.name)
                self._dispatcher.bury(one, fault)

    def stop(self) -> None:
        """Ask it to stop after the batch in hand."""
        self.stopping.set()
        self._bus.interrupt()


BUSY_SECONDS = 2.0
"""How long a chore leaves alone what is due and could not be had: another replica holds it, or
the broker is away."""


class Chore(StoppableThread):
    """Does one kind of work when it is woken or when some is due, and sleeps in between.

    `work` returns how much it did; while there is more than nothing it goes on at once. `due_in`
    says in how many seconds there is work next; it is asked at least every `every` seconds, for
    what other processes have left. Without it there is work every `every` seconds. `gather` is
    how long it lets more come together after it was woken: for what is cheaper in one go.
    `rest` is how long it pauses after each piece of work, in units of what that piece took: for
    what can wait, and must not keep the database from what cannot.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], int],
        *,
        every: float,
        due_in: Callable[[], float] | None = None,
        gather: float = 0.0,
        rest: float = 0.0,
    ) -> None:
        super().__init__(name)
        self._work = work
        self._every = every
        self._due_in = due_in or (lambda: every)
        self._gather = gather
        self._rest = rest
        self._wake = threading.Event()

    def wake(self) -> None:
        """There is something to do now."""
        self._wake.set()

    def run(self) -> None:
        """Work until asked to stop."""
        while not self.stopping.is_set():
            self._wake.clear()
            began = time.monotonic()
            if self._attempt(self._work, 0):
                self.stopping.wait(self._rest * (time.monotonic() - began))
            else:
                self._sleep()

    def _sleep(self) -> None:
        """Sleep until woken, or until something is due."""
        patience = BUSY_SECONDS
        while not (self._wake.is_set() or self.stopping.is_set()):
            due_in = self._attempt(self._due_in, self._every)
            if due_in <= self._every:
                self._wake.wait(due_in if due_in > 0 else patience)
                break
            self._wake.wait(self._every)
            # What has come since was nobody's to refuse.
            patience = 0.0
        if self._wake.is_set():
            self.stopping.wait(self._gather)

    def _attempt(self, question: Callable[[], float], otherwise: float) -> float:
        answers: list[float] = []
        try:
            self.insist(lambda: answers.append(question()))
        except Exception:
            # What it could not do stays due; a chore that ended for it would never try again.
            log.exception("chore_failed", thread=self.name)
        return answers[0] if answers else otherwise

    def stop(self) -> None:
        """Ask it to stop after the piece of work in hand."""
        self.stopping.set()
        self._wake.set()
