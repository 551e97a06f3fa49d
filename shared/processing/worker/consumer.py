"""The threads that consume: they receive batches, have them processed, and acknowledge them."""

from collections.abc import Callable, Sequence
from typing import Protocol

import structlog
from tenacity import RetryCallState

from shared.base.crash_points import reached
from shared.base.errors import InfrastructureDown
from shared.messaging.bus import Bus, Incoming
from shared.processing.worker.company import Company
from shared.processing.worker.threads import StoppableThread

log = structlog.get_logger()

BATCH = 200
"""At most this many messages share a transaction; more gains little and locks longer."""

CONSUMERS = 2
"""Threads that consume for one service: one handles while the other waits for the database."""

RECEIVE_SECONDS = 30.0
"""How long a thread waits for a message before it looks whether it is to stop."""

TRIES_BEFORE_GIVING_BACK = 2
"""A blip is over by the second try: nothing need be delivered once more for it."""

FAULT_PAUSE_SECONDS = 1.0
"""How long it pauses after a fault that nothing was prepared for."""


class Processor(Protocol):
    """Deals with messages: what a consumer hands its batches to."""

    def take(self, incoming: Sequence[Incoming]) -> None:
        """Process a batch; afterwards each message may be acknowledged."""

    def take_unprocessable(self, incoming: Incoming, fault: Exception) -> None:
        """Keep a message that nothing was prepared for as a dead letter: the last resort."""


class Consumer(StoppableThread):
    """Receives batches, has them processed, and acknowledges them."""

    def __init__(
        self, name: str, bus: Bus, processor: Processor, company: Company | None = None
    ) -> None:
        """Threads that consume for one service share what they know of its messages' company."""
        super().__init__(f"{name}-consumer")
        self._bus = bus
        self._processor = processor
        self._holds_nothing = False
        self._company = company or Company()

    def run(self) -> None:
        """Consume until asked to stop; a batch in hand is finished first."""
        while not self.stopping.is_set():
            batch = self._bus.receive(BATCH, wait=RECEIVE_SECONDS, linger=self._company.linger)
            self._company.note(len(batch))
            if batch and self._process(batch):
                reached("acknowledge.before")
                self._bus.acknowledge(batch)
                reached("acknowledge.after")

    def _process(self, batch: Sequence[Incoming]) -> bool:
        try:
            return self._insist(lambda: self._processor.take(batch))
        except Exception:
            # What is not acknowledged comes again: nothing is lost, but a person must look.
            log.exception("batch_failed", thread=self.name, messages=len(batch))
            self.stopping.wait(FAULT_PAUSE_SECONDS)
            return self._insist(lambda: self._process_singly(batch))

    def _insist(self, work: Callable[[], None]) -> bool:
        """Do the work, however long that takes; while the database is away, hold no messages.

        Each connection to the broker that is lost would count against all that are held, and the
        broker gives up what was delivered too often. So they are given back, once. The batch is
        kept to see by it when the database is back; when it comes again, the inbox knows it.
        """
        try:
            return self.retry_while_down(work)
        finally:
            if self._holds_nothing and not self.stopping.is_set():
                self._bus.resume()
            self._holds_nothing = False

    def _note_paused(self, state: RetryCallState) -> None:
        super()._note_paused(state)
        if state.attempt_number >= TRIES_BEFORE_GIVING_BACK and not self._holds_nothing:
            self._holds_nothing = True
            self._bus.pause()

    def _process_singly(self, batch: Sequence[Incoming]) -> None:
        """Find the one that nothing was prepared for, and keep it as a dead letter.

        Without memory nothing can be told about a message: the thread ends, and the process.
        """
        for incoming in batch:
            try:
                self._processor.take([incoming])
            except (InfrastructureDown, MemoryError):
                raise
            except Exception as fault:
                log.exception("message_unprocessable", thread=self.name)
                self._processor.take_unprocessable(incoming, fault)

    def stop(self) -> None:
        """Ask it to stop after the batch in hand."""
        super().stop()
        self._bus.interrupt()
