"""Publishes what was committed, and remembers what became of it until that is marked."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime

import structlog
from sqlmodel import Session

from shared.base.crash_points import reached
from shared.messaging.bus import BATCH_BYTES, Bus, PublishResult
from shared.persistence.database import Database
from shared.processing.store import outbox
from shared.processing.store.outbox import OutboxEntry, PublishResults

log = structlog.get_logger()

SWEEP_LIMIT = 500
SWEEP_BYTES = BATCH_BYTES
"""What is swept at a time."""

SWEPT_BYTES = 16 * 1024 * 1024
"""With so much of what was swept unanswered, nothing more is swept: a backlog stays where it is
safe. What is said now goes out beside it."""


class OutboxPublisher:
    """Publishes one service's events, and marks the broker's answers with a passing transaction.

    `on_result` is called when the broker has answered, `on_unconfirmed` once it is committed that
    something is to be published again.
    """

    def __init__(
        self,
        bus: Bus,
        database: Database,
        clock: Callable[[], datetime],
        *,
        on_result: Callable[[], None] = lambda: None,
        on_unconfirmed: Callable[[], None] = lambda: None,
    ) -> None:
        self._bus = bus
        self._database = database
        self._clock = clock
        self._on_result = on_result
        self._on_unconfirmed = on_unconfirmed
        self._lock = threading.Lock()
        self._in_flight: dict[str, int] = {}
        self._swept_bytes = 0
        self._sweep_held_up = False
        self._results: PublishResults = []
        self._taken_at = time.monotonic()
        self._said_at = -math.inf

    def publish(self, entries: Sequence[OutboxEntry], *, repeated: bool = False) -> None:
        """Hand committed events to the bus; what becomes of them is marked later."""
        if not entries:
            return
        if not repeated:
            self._said_at = time.monotonic()
        ids = [entry.id for entry in entries]
        # What is said for the first time is bounded by the batch that says it.
        sizes = {entry.id: len(entry.body) if repeated else 0 for entry in entries}
        with self._lock:
            self._in_flight |= sizes
            self._swept_bytes += sum(sizes.values())
        try:
            future = self._bus.publish([entry.outgoing(repeated=repeated) for entry in entries])
        except Exception as error:
            # It is committed: nobody may be told of a failure, and it is to be published again.
            log.exception("publish_failed", messages=len(entries))
            future = Future()
            future.set_exception(error)
        future.add_done_callback(lambda done: self._note(ids, done))

    def _note(self, ids: Sequence[str], done: "Future[list[PublishResult]]") -> None:
        reached("confirm.before")
        results = [PublishResult.UNKNOWN] * len(ids) if done.exception() else done.result()
        with self._lock:
            self._results.extend(zip(ids, results, strict=True))
        reached("confirm.after")
        self._on_result()

    @property
    def has_unmarked(self) -> bool:
        """Whether the bus has answered for events that are not yet marked."""
        return bool(self._results)

    def seconds_since_news(self) -> float:
        """Seconds since something was last said that was not said before."""
        return time.monotonic() - self._said_at

    def seconds_since_marking(self) -> float:
        """Seconds since a transaction last took answers along."""
        return time.monotonic() - self._taken_at

    @contextmanager
    def pending_confirms(self) -> Iterator[PublishResults]:
        """Take what the bus has answered so far, to `mark` in a transaction inside this block.

        When the block fails, the answers are given back for the next transaction, and who marks
        them when none passes by is told: it may have looked meanwhile, and have seen none.
        """
        try:
            with self._taken() as results:
                yield results
        except BaseException:
            if self.has_unmarked:
                self._on_result()
            raise

    @contextmanager
    def _taken(self) -> Iterator[PublishResults]:
        with self._lock:
            self._taken_at = time.monotonic()
            results, self._results = self._results, []
        try:
            yield results
        except BaseException:
            with self._lock:
                self._results = results + self._results
            raise
        with self._lock:
            for event_id, _ in results:
                self._swept_bytes -= self._in_flight.pop(event_id, 0)
            go_on = self._sweep_held_up and self._swept_bytes < SWEPT_BYTES // 2
        if results:
            reached("outbox_mark.after")
        for event_id, result in results:
            if result is PublishResult.UNROUTABLE:
                log.error("event_unroutable", message_id=event_id)
        if go_on or any(result is not PublishResult.CONFIRMED for _, result in results):
            # Only now that it is committed does the sweeper see when to publish these again.
            self._on_unconfirmed()

    def mark(self, session: Session, results: PublishResults) -> None:
        """Write what the bus has answered."""
        if results:
            outbox.mark(session, results, self._clock())

    def flush_confirms(self) -> None:
        """Mark in a transaction of its own, when no other passes by."""
        if self.has_unmarked:
            with self._taken() as results, self._database.begin() as session:
                self.mark(session, results)

    def sweep(self, limit: int = SWEEP_LIMIT) -> int:
        """Publish what a crash or a failure left behind; returns how many events there were."""
        self._sweep_held_up = self._swept_bytes >= SWEPT_BYTES
        if self._sweep_held_up:
            return 0
        with self._database.begin() as session:
            left = outbox.claim_unpublished(session, self._clock(), limit, SWEEP_BYTES)
        with self._lock:
            entries = [entry for entry in left if entry.id not in self._in_flight]
        self.publish(entries, repeated=True)
        return len(left)

    def release_leases(self) -> None:
        """Make every unpublished event due now: for a sole process that has just started."""
        with self._database.begin() as session:
            outbox.release_leases(session, self._clock())

    def forget(self, older_than: datetime, limit: int) -> int:
        """Remove events that were published before `older_than`; returns how many."""
        with self._database.begin() as session:
            return outbox.forget(session, older_than, limit)
