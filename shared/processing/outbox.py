"""The outbox: what this service has said, and whether the broker has it.

Rows are written in the transaction that decided them. Publishing comes after, and marking what
the broker confirmed comes with the next transaction that passes by (`mark`), which saves a
commit; a crash in between only makes the event go out again under the same id.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Table, func, select, update
from sqlmodel import Session, col

from shared.crash_points import reached
from shared.database import Database, among, insert_rows
from shared.messaging.bus import Bus, Outgoing, Receipt
from shared.processing.model import Outbox
from shared.processing.retention import forget_oldest

log = structlog.get_logger()

OUTBOX: Table = Outbox.__table__  # type: ignore[attr-defined]

Outcomes = list[tuple[str, Receipt]]

LEASE = timedelta(seconds=30)
PAUSE = {
    Receipt.UNROUTABLE: timedelta(seconds=60),
    Receipt.REFUSED: timedelta(seconds=5),
    Receipt.UNKNOWN: timedelta(seconds=1),
}
"""How long an event rests after each kind of failure before the sweeper publishes it again."""

REASONS = {
    Receipt.UNROUTABLE: "no queue is bound to this event; `stappenplan doctor` names the binding",
    Receipt.REFUSED: "the broker refused it, perhaps because a queue is full",
    Receipt.UNKNOWN: "the connection was lost before the broker confirmed it",
}


@dataclass(frozen=True, slots=True)
class Said:
    """An event that was written to the outbox and is to be published after the commit."""

    id: str
    type: str
    subject: str
    body: bytes
    traceparent: str | None = None

    def outgoing(self, *, repeated: bool = False) -> Outgoing:
        """The message for the bus."""
        headers = {"traceparent": self.traceparent} if self.traceparent else {}
        return Outgoing(self.id, self.type, self.body, headers, repeated=repeated)


class OutboxRelay:
    """Publishes what was committed and remembers what became of it."""

    def __init__(self, bus: Bus, database: Database, clock: Callable[[], datetime]) -> None:
        self._bus = bus
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._in_flight: set[str] = set()
        self._outcomes: Outcomes = []
        self._settled_at = time.monotonic()
        self.on_outcome: Callable[[], None] = lambda: None
        self.on_unconfirmed: Callable[[], None] = lambda: None

    def write(self, session: Session, said: Sequence[Said]) -> None:
        """Insert events in one statement, leased to this process."""
        if not said:
            return
        now = self._clock()
        rows = [
            {
                "id": one.id,
                "type": one.type,
                "subject": one.subject,
                "body": one.body,
                "created_at": now,
                "leased_until": now + LEASE,
                "attempts": 0,
            }
            for one in said
        ]
        reached("outbox_insert.before")
        insert_rows(session, Outbox, rows)
        reached("outbox_insert.after")

    def publish(self, said: Sequence[Said], *, repeated: bool = False) -> None:
        """Hand committed events to the bus; what becomes of them is settled later."""
        if not said:
            return
        ids = [one.id for one in said]
        with self._lock:
            self._in_flight.update(ids)
        future = self._bus.publish([one.outgoing(repeated=repeated) for one in said])
        future.add_done_callback(lambda done: self._note(ids, done))

    def _note(self, ids: Sequence[str], done: "Future[list[Receipt]]") -> None:
        reached("confirm.before")
        receipts = [Receipt.UNKNOWN] * len(ids) if done.exception() else done.result()
        with self._lock:
            self._outcomes.extend(zip(ids, receipts, strict=True))
        reached("confirm.after")
        self.on_outcome()

    @property
    def unsettled(self) -> bool:
        """Whether the bus has answered for events that are not yet marked."""
        return bool(self._outcomes)

    def waited(self) -> float:
        """Seconds since a transaction last took answers along."""
        return time.monotonic() - self._settled_at

    @contextmanager
    def settling(self) -> Iterator[Outcomes]:
        """Take what the bus has answered so far, to `mark` in a transaction inside this block.

        When the block fails, the answers are given back for the next transaction.
        """
        with self._lock:
            outcomes, self._outcomes = self._outcomes, []
            self._settled_at = time.monotonic()
        try:
            yield outcomes
        except BaseException:
            with self._lock:
                self._outcomes = outcomes + self._outcomes
            raise
        with self._lock:
            self._in_flight.difference_update(one for one, _ in outcomes)
        if outcomes:
            reached("outbox_mark.after")
        for message_id, receipt in outcomes:
            if receipt is Receipt.UNROUTABLE:
                log.error("event_unroutable", message_id=message_id)
        if any(receipt is not Receipt.CONFIRMED for _, receipt in outcomes):
            # Only now that it is committed does the sweeper see when to publish these again.
            self.on_unconfirmed()

    def mark(self, session: Session, outcomes: Outcomes) -> None:
        """Write what the bus has answered: published, or due again for the sweeper."""
        now = self._clock()
        confirmed = sorted(one for one, receipt in outcomes if receipt is Receipt.CONFIRMED)
        if confirmed:
            reached("outbox_mark.before")
            session.execute(
                update(OUTBOX)
                .where(among(session, OUTBOX.c.id, confirmed))
                .values(published_at=now, error=None)
            )
        for receipt, pause in PAUSE.items():
            failed = sorted(one for one, answer in outcomes if answer is receipt)
            if failed:
                session.execute(
                    update(OUTBOX)
                    .where(among(session, OUTBOX.c.id, failed), OUTBOX.c.published_at.is_(None))
                    .values(leased_until=now + pause, error=REASONS[receipt])
                )

    def settle(self) -> None:
        """Mark in a transaction of its own, when no other passes by."""
        if self.unsettled:
            with self.settling() as outcomes, self._database.begin() as session:
                self.mark(session, outcomes)

    def sweep(self, limit: int = 500) -> int:
        """Publish what a crash or a failure left behind; returns how many events.

        Rows that another replica holds are passed over.
        """
        now = self._clock()
        with self._database.begin() as session:
            statement = (
                select(Outbox)
                .where(col(Outbox.published_at).is_(None), col(Outbox.leased_until) < now)
                .order_by(col(Outbox.leased_until))
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
            rows = list(session.execute(statement).scalars())
            for row in rows:
                row.leased_until = now + LEASE
                row.attempts += 1
            left = [Said(row.id, row.type, row.subject, row.body) for row in rows]
        with self._lock:
            left = [one for one in left if one.id not in self._in_flight]
        self.publish(left, repeated=True)
        return len(rows)

    def release_leases(self) -> None:
        """Make every unpublished event due now: for a sole process that has just started."""
        with self._database.begin() as session:
            session.execute(
                update(Outbox)
                .where(col(Outbox.published_at).is_(None))
                .values(leased_until=self._clock() - timedelta(seconds=1))
            )

    def forget(self, older_than: datetime, limit: int) -> int:
        """Remove events that were published before `older_than`."""
        with self._database.begin() as session:
            return forget_oldest(session, OUTBOX.c.published_at, older_than, limit=limit)


def next_due(session: Session) -> datetime | None:
    """When the sweeper has something to publish; None when everything is published."""
    statement = select(func.min(OUTBOX.c.leased_until)).where(OUTBOX.c.published_at.is_(None))
    found: datetime | None = session.execute(statement).scalar_one()
    return found
