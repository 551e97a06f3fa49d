"""The outbox: what this service has said, and whether the broker has it.

Rows are written in the transaction that decided them. Publishing comes after (`worker.publisher`),
and marking what the broker confirmed comes with the next transaction that passes by, which saves a
commit; a crash in between only makes the event go out again under the same id.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from pydantic_core import from_json
from sqlalchemy import Table, bindparam, func, select, update
from sqlmodel import Session, col

from shared.base.crash_points import reached
from shared.messaging.batches import Room
from shared.messaging.bus import BATCH_BYTES, Outgoing, PublishResult
from shared.persistence.bulk import KEYS, among_keys, in_, insert_rows
from shared.persistence.statements import Statement
from shared.processing.retry_policy import OUTBOX_LEASE, PUBLISH_PAUSES, furthest_ahead
from shared.processing.store.leases import LeasedRows, forget_oldest
from shared.processing.store.tables import Outbox

OUTBOX: Table = Outbox.__table__  # type: ignore[attr-defined]

UNPUBLISHED_EVENTS = LeasedRows(Outbox, OUTBOX.c.published_at.is_(None), "leased_until")

FURTHEST_AHEAD = furthest_ahead(max(OUTBOX_LEASE, *PUBLISH_PAUSES.values()))

EXPLANATIONS = {
    PublishResult.UNROUTABLE: "no queue is bound to this event; the doctor names the binding",
    PublishResult.REFUSED: "the broker refused it, perhaps because a queue is full",
    PublishResult.UNKNOWN: "the connection was lost before the broker confirmed it",
}

PublishResults = list[tuple[str, PublishResult]]
"""What the bus has answered for the events with these ids."""


class OutboxEntry(NamedTuple):
    """An event that stands in the outbox and is to be published."""

    id: str
    type: str
    subject: str
    body: bytes
    traceparent: str | None = None

    @classmethod
    def of_row(cls, row: Outbox) -> "OutboxEntry":
        """The entry that a row keeps; its trace stands in the event itself."""
        return cls(row.id, row.type, row.subject, row.body, traceparent_of(row.body))

    def outgoing(self, *, repeated: bool = False, queue: str | None = None) -> Outgoing:
        """The message for the bus; with `queue` for that queue alone."""
        headers = {"traceparent": self.traceparent} if self.traceparent else {}
        return Outgoing(self.id, self.type, self.body, headers, queue=queue, repeated=repeated)


def traceparent_of(body: bytes) -> str | None:
    """The W3C trace context in an event as it was published."""
    if b'"traceparent"' not in body:
        return None
    traceparent: str | None = from_json(body).get("traceparent")
    return traceparent


def write(session: Session, entries: Sequence[OutboxEntry], now: datetime) -> None:
    """Insert events in one statement, leased to this process."""
    rows = [
        {
            "id": entry.id,
            "type": entry.type,
            "subject": entry.subject,
            "body": entry.body,
            "created_at": now,
            "leased_until": now + OUTBOX_LEASE,
            "attempts": 0,
        }
        for entry in entries
    ]
    reached("outbox_insert.before")
    insert_rows(session, Outbox, rows)
    reached("outbox_insert.after")


def mark(session: Session, results: PublishResults, now: datetime) -> None:
    """Write what the bus has answered: published, or due again for the sweeper."""
    confirmed = sorted(
        event_id for event_id, result in results if result is PublishResult.CONFIRMED
    )
    if confirmed:
        reached("outbox_mark.before")
        statement = _mark_published(session.get_bind().dialect.name)
        statement.post(session, {KEYS: confirmed, "moment": now})
    for failure, pause in PUBLISH_PAUSES.items():
        failed = sorted(event_id for event_id, result in results if result is failure)
        if failed:
            session.execute(
                update(OUTBOX)
                .where(in_(session, OUTBOX.c.id, failed), OUTBOX.c.published_at.is_(None))
                .values(
                    leased_until=now + pause,
                    publish_result=failure.value,
                    error=EXPLANATIONS[failure],
                )
            )


@cache
def _mark_published(dialect: str) -> Statement:
    """Made once: every transaction marks what was published before it."""
    moment = bindparam("moment", type_=OUTBOX.c.published_at.type)
    published = update(OUTBOX).where(among_keys(OUTBOX.c.id, dialect))
    return Statement(published.values(published_at=moment, publish_result=None, error=None))


def claim_unpublished(
    session: Session, now: datetime, limit: int, most_bytes: int = BATCH_BYTES
) -> list[OutboxEntry]:
    """Claim and lease what a crash or a failure left behind; others' rows are passed over.

    At most `limit` events, and `most_bytes` of bodies; one always fits.
    """
    due = (
        select(OUTBOX.c.id, func.length(OUTBOX.c.body))
        .where(UNPUBLISHED_EVENTS.pending, OUTBOX.c.leased_until <= now)
        .order_by(OUTBOX.c.leased_until)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    room = Room(limit, most_bytes)
    ids = [id_ for id_, size in session.execute(due).all() if room.admit(size)]
    if not ids:
        return []
    rows = UNPUBLISHED_EVENTS.claim(session, now, limit, in_(session, OUTBOX.c.id, ids))
    UNPUBLISHED_EVENTS.lease_together(session, rows, now + OUTBOX_LEASE)
    return [OutboxEntry.of_row(row) for row in rows]


def release_leases(session: Session, now: datetime) -> None:
    """Make every unpublished event due now: for a sole process that has just started."""
    session.execute(
        update(Outbox)
        .where(col(Outbox.published_at).is_(None))
        .values(leased_until=now - timedelta(seconds=1))
    )


def forget(session: Session, older_than: datetime, limit: int) -> int:
    """Remove events that were published before `older_than`."""
    return forget_oldest(session, OUTBOX.c.published_at, older_than, limit=limit)
