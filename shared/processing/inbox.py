"""The inbox: what was claimed, what waits, what is dead. Written only inside a transaction."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Table, func, select
from sqlmodel import Session, col

from shared.database import among, insert_rows
from shared.envelope import Envelope
from shared.events.event import EVENTS
from shared.messaging.bus import TRACES, Incoming
from shared.processing.messages import Delivery
from shared.processing.model import DEAD, DONE, WAITING, Inbox
from shared.processing.retention import forget_oldest
from shared.processing.retries import LEASE, pause_after

INBOX: Table = Inbox.__table__  # type: ignore[attr-defined]

REFUSED = "refused/"
"""How the ids of messages begin that were not taken under their own id."""

MAX_ERROR = 4000
MAX_DEATHS = 3
DIED = "it began and did not end: the process died, or was stopped, while this message ran"


def claim(session: Session, deliveries: Sequence[Delivery], now: datetime) -> set[str]:
    """Claim each message for this transaction; returns the ids that nobody had claimed before.

    A second transaction that claims the same id waits here until the first has ended.
    """
    rows = [_row(delivery, DONE, now) for delivery in deliveries]
    return _insert_new(session, rows)


def park(session: Session, delivery: Delivery, now: datetime, *, due: datetime) -> bool:
    """Keep a message for later; False when its id is known already."""
    row = _row(delivery, WAITING, now) | {"due_at": due} | keepsake(delivery.incoming)
    return bool(_insert_new(session, [row]))


def begin_alone(session: Session, delivery: Delivery, now: datetime) -> bool:
    """Count an attempt before it starts; False when the message is not ours to run.

    The attempt is committed first, and as one that dies, so that a message which kills the
    process is counted too; the lease makes it due again should that happen.
    """
    row = _row(delivery, WAITING, now) | keepsake(delivery.incoming)
    started = {"due_at": now + LEASE, "attempts": 1, "deaths": 1}
    return bool(_insert_new(session, [row | started]))


def lock_waiting(session: Session, message_id: str) -> Inbox | None:
    """The waiting row, locked for the rest of the transaction; None when it waits no longer."""
    statement = (
        select(Inbox).where(col(Inbox.id) == message_id, col(Inbox.status) == WAITING)
    ).with_for_update()
    return session.execute(statement).scalar_one_or_none()


def finish(row: Inbox) -> None:
    """The message has had its effect; what it said need not be kept."""
    row.status, row.due_at, row.error = DONE, None, None
    row.body, row.postage, row.deaths = None, None, 0


def fail(row: Inbox, error: str, now: datetime, *, for_good: bool = False) -> None:
    """Record a failed attempt; the row is due again later, or dead after the last try.

    It ended, so that the process was not killed by it.
    """
    row.deaths = 0
    _put_off(row, error, now, for_good=for_good)


def break_off(row: Inbox, reason: str, now: datetime) -> None:
    """Record an attempt that would not end: it counts as one that killed the process."""
    _put_off(row, reason, now, for_good=row.deaths >= MAX_DEATHS)


def _put_off(row: Inbox, error: str, now: datetime, *, for_good: bool) -> None:
    pause = None if for_good else pause_after(row.attempts)
    row.error = clean(error)
    row.status = DEAD if pause is None else WAITING
    row.due_at = None if pause is None else now + pause


def take_due(session: Session, now: datetime) -> Inbox | None:
    """Take the waiting row that is due first, and lease it for a while; None when none is due.

    One at a time: what waits behind it has not begun, and is not to blame should the process die.
    Until its end is recorded the attempt counts as one that died. After a few of those with no
    other between them the row is dead: it kills the process. One that another replica holds is
    passed over.
    """
    statement = (
        select(Inbox)
        .where(col(Inbox.status) == WAITING, col(Inbox.due_at) <= now)
        .order_by(col(Inbox.due_at))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row: Inbox | None = session.execute(statement).scalar_one_or_none()
    if row is None:
        return None
    if row.deaths >= MAX_DEATHS:
        row.status, row.due_at, row.error = DEAD, None, DIED
        return row
    row.attempts += 1
    row.deaths += 1
    row.due_at = now + LEASE
    return row


def next_due(session: Session) -> datetime | None:
    """When the next waiting message is due; None when none waits."""
    statement = select(func.min(INBOX.c.due_at)).where(INBOX.c.status == WAITING)
    found: datetime | None = session.execute(statement).scalar_one()
    return found


def bury(
    session: Session, incoming: Incoming, reason: str, now: datetime, attempts: int = 1
) -> None:
    """Keep a refused message as a dead letter, under a key of its contents.

    Its own id stays free, so that the sender may correct the message and use the id again.
    """
    row = {
        "id": f"{REFUSED}{_fingerprint(incoming)}",
        "type": clean(incoming.routing_key)[:255],
        "subject": None,
        "digest": _fingerprint(incoming),
        "status": DEAD,
        "received_at": now,
        "error": clean(reason),
        "attempts": attempts,
    }
    _insert_new(session, [row | keepsake(incoming)])


def refuse(session: Session, row: Inbox, reason: str, now: datetime) -> None:
    """A waiting message can never work: it is dead, and its own id is free.

    So it ends as one that was refused when it came first (`bury`). What stays under its id is a
    request, which only the service itself could say again, and what a person has decided about.
    """
    if row.type not in EVENTS or row.id.startswith(REFUSED) or row.decision is not None:
        fail(row, reason, now, for_good=True)
        return
    bury(session, incoming_of(row), reason, row.received_at, row.attempts)
    session.delete(row)


def lay_out(session: Session, delivery: Delivery, reason: str, now: datetime) -> bool:
    """Keep a message that the broker gave up as a dead letter; False when its id is known."""
    row = _row(delivery, DEAD, now) | keepsake(delivery.incoming)
    return bool(_insert_new(session, [row | {"error": clean(reason)}]))


def meanwhile(session: Session, delivery: Delivery) -> str:
    """Why a refused message cannot be run under its own id: what the inbox knows of that id."""
    envelope = delivery.envelope
    known = session.get(Inbox, envelope.id)
    state = known.status if known else "gone"
    if known and known.digest == envelope.digest():
        return f"this very event came again under its own id {envelope.id}, and is {state}; drop it"
    return (
        f"its id {envelope.id} was used meanwhile for other contents (which are {state}); correct "
        "it with an id of its own, or drop it"
    )


def digests(session: Session, ids: Sequence[str]) -> dict[str, str]:
    """The fingerprints under which these ids were claimed."""
    statement = select(INBOX.c.id, INBOX.c.digest).where(among(session, INBOX.c.id, ids))
    return {row.id: row.digest for row in session.execute(statement)}


def forget(session: Session, older_than: datetime, limit: int) -> int:
    """Remove done rows from before `older_than`; the dead stay until a person decides."""
    done = INBOX.c.status == DONE
    return forget_oldest(session, INBOX.c.received_at, older_than, done, limit=limit)


def incoming_of(row: Inbox) -> Incoming:
    """The message as it came, from a row that keeps it."""
    postage = json.loads(row.postage or "{}")
    return Incoming(body=row.body or b"", **postage)


def clean(text: str) -> str:
    """Text that every database takes: no NUL, no lone surrogate, not endless."""
    return text.replace("\0", "�").encode("utf-8", "replace").decode()[:MAX_ERROR]


def _row(delivery: Delivery, status: str, now: datetime) -> dict[str, Any]:
    envelope: Envelope = delivery.envelope
    return {
        "id": envelope.id,
        "type": envelope.type,
        "subject": envelope.subject,
        "digest": envelope.digest(),
        "status": status,
        "received_at": now,
        "attempts": 0,
    }


def keepsake(incoming: Incoming) -> dict[str, Any]:
    """The columns that keep a message as it came; see `incoming_of`."""
    postage = {
        "routing_key": incoming.routing_key,
        "content_type": incoming.content_type,
        "headers": _kept_headers(incoming),
        "message_id": incoming.message_id,
        "type": incoming.type,
        "user_id": incoming.user_id,
    }
    return {"body": incoming.body, "postage": clean_json(postage)}


def _kept_headers(incoming: Incoming) -> dict[str, object]:
    return {clean(str(name)): _kept(value) for name, value in incoming.headers.items()}


def _kept(value: object) -> object:
    """A header's value in JSON, such that the envelope reads the same in it again."""
    if isinstance(value, bytes):
        return clean(value.decode("utf-8", "replace"))
    if isinstance(value, datetime):
        # An AMQP timestamp has no zone of its own: it is in UTC.
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, str):
        return value.replace("\0", "�")
    return value if isinstance(value, int | None) else clean(repr(value))


def clean_json(value: object) -> str:
    """JSON in ASCII, in which no database finds anything to object to."""
    return json.dumps(value, ensure_ascii=True).replace("\\u0000", "\\ufffd")


def _fingerprint(incoming: Incoming) -> str:
    """What a message is known by however often it comes, and when it is read from its row."""
    seen = [incoming.routing_key, incoming.content_type or "", incoming.user_id or ""]
    sent = {k: v for k, v in _kept_headers(incoming).items() if not k.startswith(TRACES)}
    seen.extend(f"{name}={value!r}" for name, value in sorted(sent.items()))
    contents = "\n".join(seen).encode("utf-8", "replace") + b"\0" + incoming.body
    return hashlib.sha256(contents).hexdigest()


def _insert_new(session: Session, rows: Sequence[dict[str, Any]]) -> set[str]:
    return insert_rows(session, Inbox, rows, new_only=True)
