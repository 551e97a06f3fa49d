"""Threads that can be asked to stop, and that wait while database or broker is away."""

import threading
from collections.abc import Callable

import structlog
import tenacity

from shared.base.errors import InfrastructureDown

log = structlog.get_logger()


class StoppableThread(threading.Thread):
    """A thread that can be asked to stop, and that tells whether it is paused."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.stopping = threading.Event()
        self.paused = False

    def stop(self) -> None:
        """Ask it to stop after the work in hand."""
        self.stopping.set()

    def retry_while_down(self, work: Callable[[], object]) -> bool:
        """Do the work, again and again while database or broker is away.

        Returns False when asked to stop before it was done. No attempt is counted meanwhile.
        """
        try:
            work()  # Nearly always that is all, and costs no preparation for more.
        except InfrastructureDown as error:
            return self._retry(work, [error])
        self._note_back()
        return True

    def _retry(self, work: Callable[[], object], failed: list[InfrastructureDown]) -> bool:
        def attempt() -> None:
            if failed:
                raise failed.pop()
            work()

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(InfrastructureDown),
            wait=tenacity.wait_exponential_jitter(multiplier=0.1, max=10, jitter=0.5),
            stop=tenacity.stop_when_event_set(self.stopping),
            sleep=tenacity.sleep_using_event(self.stopping),
            before_sleep=self._note_paused,
        )
        try:
            retrying(attempt)
        except tenacity.RetryError:
            return False
        self._note_back()
        return True

    def _note_back(self) -> None:
        if self.paused:
            log.info("infrastructure_back", thread=self.name)
        self.paused = False

    def _note_paused(self, state: tenacity.RetryCallState) -> None:
        if not self.paused:
            error = state.outcome.exception() if state.outcome else None
            log.warning("infrastructure_down", thread=self.name, error=str(error))
        self.paused = True
