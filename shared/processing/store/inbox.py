"""The inbox: what was claimed and what waits. Written only inside a transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, or_, select, text
from sqlmodel import Session, col

from shared.base.crash_points import reached
from shared.persistence.bulk import in_, insert_rows, new_rows
from shared.persistence.statements import Asked, fetch_together
from shared.processing.handlers.messages import Message
from shared.processing.retry_policy import MESSAGE_LEASE, RetryPolicy
from shared.processing.store.kept_messages import storable, to_columns
from shared.processing.store.leases import LeasedRows, forget_oldest
from shared.processing.store.tables import DONE, WAITING, Inbox

INBOX: Table = Inbox.__table__  # type: ignore[attr-defined]

WAITING_MESSAGES = LeasedRows(Inbox, INBOX.c.status == WAITING, "due_at")

TRIED_MESSAGES = LeasedRows(Inbox, text("status = 'waiting' AND attempts > 0"), "due_at")
"""Those that were tried, apart from the timers, which are due when they are due; said in the words
of their index, by which alone SQLite knows it again."""


class Claim:
    """Messages that a transaction claims, on the way of whatever it asks first.

    A second transaction that claims the same id waits there until the first has ended.
    """

    def __init__(self, session: Session, messages: Sequence[Message], now: datetime) -> None:
        first = {message.envelope.id: message for message in reversed(messages)}
        self._session = session
        self._unique = [message for message in messages if first[message.envelope.id] is message]
        self._now = now
        self._new: list[Message] | None = None
        self.broke_off = False
        """Whether the trip that claims did not come to its end: nobody knows what was claimed."""

    def fetch_along(self, asked: Sequence[Asked]) -> Sequence[Sequence[Sequence[Any]]]:
        """The rows that each of these statements finds; with the first of them, it is claimed."""
        if self._new is not None:
            return fetch_together(self._session, asked)
        rows = [new_row(message, DONE, self._now) for message in self._unique]
        reached("inbox_claim.before")
        self.broke_off = True
        claimed, *found = fetch_together(
            self._session, [new_rows(self._session, Inbox, rows), *asked]
        )
        reached("inbox_claim.after")
        ids = {key for (key,) in claimed}
        self._new = [message for message in self._unique if message.envelope.id in ids]
        self.broke_off = False
        return found

    @property
    def new(self) -> list[Message]:
        """Those that nobody had claimed before."""
        if self._new is None:
            self.fetch_along([])
        return self._new or []


def claim(session: Session, messages: Sequence[Message], now: datetime) -> list[Message]:
    """Claim each message for this transaction; returns those that nobody had claimed before."""
    return Claim(session, messages, now).new


def begin_isolated(session: Session, message: Message, now: datetime) -> bool:
    """Count an attempt before it starts; False when the message is not ours to run.

    The attempt is committed first, and as one that crashes, so that a message which kills the
    process is counted too; the lease makes it due again should that happen.
    """
    row = new_row(message, WAITING, now) | to_columns(message.incoming)
    started = {"due_at": now + MESSAGE_LEASE, "attempts": 1, "crashes": 1}
    return bool(insert_new(session, [row | started]))


def keep_waiting(session: Session, message: Message, now: datetime, error: str) -> bool:
    """Keep a message that nothing is known of, due now; False when its id is known.

    No attempt is counted: it has not begun here.
    """
    row = new_row(message, WAITING, now) | to_columns(message.incoming)
    return bool(insert_new(session, [row | {"due_at": now, "error": storable(error)}]))


def lock_waiting(session: Session, message_id: str) -> Inbox | None:
    """The waiting row, locked for the rest of the transaction; None when it waits no longer."""
    statement = (
        select(Inbox).where(col(Inbox.id) == message_id, col(Inbox.status) == WAITING)
    ).with_for_update()
    return session.execute(statement).scalar_one_or_none()


def finish(row: Inbox) -> None:
    """The message has had its effect; its contents need not be kept."""
    row.status, row.due_at, row.error = DONE, None, None
    row.body, row.properties, row.exchange, row.crashes = None, None, None, 0


def retry_later(row: Inbox, error: str, now: datetime, policy: RetryPolicy) -> bool:
    """Have a failed message due again after its pause; False when that was the last attempt."""
    pause = policy.pause_after(row.attempts)
    if pause is None:
        return False
    row.error, row.due_at = storable(error), now + pause
    return True


def claim_due(session: Session, now: datetime) -> Inbox | None:
    """Claim the waiting row that is due first; None when none is due.

    One at a time: what waits behind it has not begun, and is not to blame should the process die.
    One that another replica holds is passed over.
    """
    rows = WAITING_MESSAGES.claim(session, now, 1)
    return rows[0] if rows else None


def lease(row: Inbox, now: datetime) -> None:
    """Begin an attempt: until its end is recorded it counts as one that crashed."""
    WAITING_MESSAGES.lease(row, now + MESSAGE_LEASE)
    row.crashes += 1


def recall_planned(session: Session, now: datetime, tolerance: timedelta, limit: int = 1000) -> int:
    """Bring timers and retried letters nearer that a clock has written which was ahead of `now`.

    A timer is due as long from now as it was to be from when it was written, a letter at once.
    Returns how many there were.
    """
    future = now + tolerance
    planned = (
        select(Inbox)
        .where(
            col(Inbox.status) == WAITING,
            col(Inbox.attempts) == 0,
            col(Inbox.due_at) > now,
            or_(col(Inbox.received_at) > future, col(Inbox.decided_at) > future),
        )
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = session.execute(planned).scalars().all()
    for row in rows:
        if row.decided_at is None and row.due_at is not None:
            row.due_at, row.received_at = now + (row.due_at - row.received_at), now
        else:
            row.due_at = now
    return len(rows)


def digests(session: Session, ids: Sequence[str]) -> dict[str, str]:
    """The fingerprints under which these ids were claimed."""
    statement = select(INBOX.c.id, INBOX.c.digest).where(in_(session, INBOX.c.id, ids))
    return {row.id: row.digest for row in session.execute(statement)}


def claimed(session: Session, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The fingerprint and the subject under which these ids were claimed."""
    columns = (INBOX.c.id, INBOX.c.digest, INBOX.c.subject)
    statement = select(*columns).where(in_(session, INBOX.c.id, ids))
    return {row.id: (row.digest, row.subject) for row in session.execute(statement)}


def forget(session: Session, older_than: datetime, limit: int) -> int:
    """Remove done rows from before `older_than`; the dead stay until a person decides."""
    done = INBOX.c.status == DONE
    return forget_oldest(session, INBOX.c.received_at, older_than, done, limit=limit)


def new_row(message: Message, status: str, now: datetime) -> dict[str, Any]:
    """The columns of a message that was received now."""
    envelope = message.envelope
    return {
        "id": envelope.id,
        "type": envelope.type,
        "subject": envelope.subject,
        "digest": envelope.digest(),
        "status": status,
        "received_at": now,
        "attempts": 0,
    }


def insert_new(session: Session, rows: Sequence[dict[str, Any]]) -> set[str]:
    """Insert those rows whose id is not known yet; returns their ids."""
    return insert_rows(session, Inbox, rows, new_only=True)
