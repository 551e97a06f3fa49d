"""Dead letters for people: what failed for good, per service, and what a person does about it.

They stand in each service's own database, events and mails alike, so that the same tool serves
every broker. A decision is recorded with who, when and why; of two people who decide at once,
one wins. Wherever an id is asked for, its beginning will do, as long as only one begins so.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import select, update
from sqlmodel import Session, col
from sqlmodel import select as entities
from sqlmodel.sql.expression import SelectOfScalar

from shared.database import Database
from shared.errors import StappenplanError
from shared.notifications.model import CANCELLED, FAILED, Notification
from shared.notifications.model import WAITING as UNSENT
from shared.processing.model import DEAD, DONE, DROPPED, WAITING, Inbox

REFUSED = "refused/"
"""How the ids of messages begin that no service would take under their own id."""

Row = Inbox | Notification
R = TypeVar("R", Inbox, Notification)


class NotDead(StappenplanError):
    """There is no such dead letter, or somebody has decided about it already."""


@dataclass(frozen=True)
class DeadLetter:
    """One message that failed for good."""

    service: str
    id: str
    kind: str
    type: str
    subject: str | None
    since: datetime
    attempts: int
    error: str

    @property
    def short_id(self) -> str:
        """The id, or as much of a long one as tells it from all others."""
        return self.id[: len(REFUSED) + 16] if self.id.startswith(REFUSED) else self.id


def find(databases: Mapping[str, Database], limit: int = 500) -> list[DeadLetter]:
    """The dead letters of these services, the oldest first; at most `limit` of each kind."""
    found = []
    for service, database in databases.items():
        with database.read() as session:
            found += _messages(session, service, limit)
            found += _notifications(session, service, limit)
    return sorted(found, key=lambda one: one.since)


def _messages(session: Session, service: str, limit: int) -> list[DeadLetter]:
    received = col(Inbox.received_at)
    statement = select(Inbox).where(col(Inbox.status) == DEAD).order_by(received).limit(limit)
    return [
        DeadLetter(
            service=service,
            id=one.id,
            kind="message",
            type=one.type,
            subject=one.subject,
            since=one.received_at,
            attempts=one.attempts,
            error=one.error or "",
        )
        for one in session.execute(statement).scalars()
    ]


def _notifications(session: Session, service: str, limit: int) -> list[DeadLetter]:
    failed, created = col(Notification.status) == FAILED, col(Notification.created_at)
    statement = select(Notification).where(failed).order_by(created).limit(limit)
    return [
        DeadLetter(
            service=service,
            id=one.id,
            kind="notification",
            type=one.kind,
            subject=one.onboarding_id,
            since=one.created_at,
            attempts=one.attempts,
            error=one.error or "",
        )
        for one in session.execute(statement).scalars()
    ]


def show(database: Database, letter_id: str) -> dict[str, Any]:
    """Everything that is kept of one dead letter, or of one that was decided about.

    Raises:
        NotDead: there is none by that id.
    """
    with database.read() as session:
        row = _recognise(session, letter_id)
        if isinstance(row, Notification):
            return row.model_dump()
        return row.model_dump(exclude={"body", "postage"}) | {
            "postage": json.loads(row.postage or "{}"),
            "body": _readable(row.body or b""),
        }


def retry(database: Database, letter_id: str, *, by: str, why: str) -> str:
    """Give a dead letter back to the service that failed, and to no other, once.

    Returns its whole id.

    Raises:
        NotDead: there is none by that id, or somebody was first.
    """
    renewed = {"due_at": datetime.now(UTC), "attempts": 0, "error": None}
    to_inbox, to_mail = renewed | {"status": WAITING}, renewed | {"status": UNSENT}
    return _decide(database, letter_id, f"retry: {why}", by, to_inbox, to_mail)


def drop(database: Database, letter_id: str, *, by: str, why: str) -> str:
    """Let a dead letter rest; it stays on record with the reason. Returns its whole id.

    Raises:
        NotDead: there is none by that id, or somebody was first.
    """
    to_inbox, to_mail = {"status": DROPPED}, {"status": CANCELLED}
    return _decide(database, letter_id, f"drop: {why}", by, to_inbox, to_mail)


def _decide(
    database: Database,
    letter_id: str,
    decision: str,
    by: str,
    to_inbox: Mapping[str, Any],
    to_mail: Mapping[str, Any],
) -> str:
    """Compare and set: only the first of two people finds the row as it was."""
    record = {"decision": decision, "decided_by": by[:200], "decided_at": datetime.now(UTC)}
    with database.begin() as session:
        row = _recognise(session, letter_id)
        table, dead, values = (
            (Inbox, DEAD, to_inbox) if isinstance(row, Inbox) else (Notification, FAILED, to_mail)
        )
        statement = (
            update(table)
            .where(col(table.id) == row.id, col(table.status) == dead)
            .values(**values, **record)
            .returning(col(table.id))
            .execution_options(synchronize_session=False)
        )
        if session.execute(statement).first() is None:
            raise NotDead(_not_dead(session, row))
    return row.id


def _recognise(session: Session, given: str) -> Row:
    """The row that a person means: by its id, or the only dead one whose id begins so."""
    exact: tuple[Row | None, ...] = (session.get(Inbox, given), session.get(Notification, given))
    for row in exact:
        if row is not None and row.status != DONE:
            return row
    found: list[Row] = [
        *session.exec(_beginning(Inbox, DEAD, given)),
        *session.exec(_beginning(Notification, FAILED, given)),
    ]
    if len(found) > 1:
        raise NotDead(f"several dead letters begin with {given}; give more of the id")
    if not found or not given:
        raise NotDead(f"there is no dead letter {given}")
    return found[0]


def _beginning(table: type[R], dead: str, given: str) -> SelectOfScalar[R]:
    begins = col(table.id).startswith(given, autoescape=True)
    return entities(table).where(col(table.status) == dead, begins).limit(2)


def _not_dead(session: Session, row: Row) -> str:
    session.refresh(row)
    if row.decision is None:
        return f"{row.id} is not dead: it is {row.status}"
    return f"{row.id} is {row.status}: {row.decided_by} decided, {row.decision}"


def _readable(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "backslashreplace")[:20_000]
