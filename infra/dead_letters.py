"""Dead letters for people: what failed for good, per service, and what a person does about it.

They stand in each service's own database, events and mails alike, so that the same tool serves
every broker. A decision is recorded with who, when and why; of two people who decide at once,
one wins.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update
from sqlmodel import col

from shared.database import Database
from shared.errors import StappenplanError
from shared.notifications.model import CANCELLED, FAILED, Notification
from shared.notifications.model import WAITING as UNSENT
from shared.processing.model import DEAD, DROPPED, WAITING, Inbox


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


def find(databases: Mapping[str, Database], limit: int = 500) -> list[DeadLetter]:
    """The dead letters of these services, the oldest first."""
    found = []
    for service, database in databases.items():
        with database.read() as session:
            letters = session.execute(
                select(Inbox)
                .where(col(Inbox.status) == DEAD)
                .order_by(col(Inbox.received_at))
                .limit(limit)
            ).scalars()
            found += [
                DeadLetter(
                    service,
                    one.id,
                    "message",
                    one.type,
                    one.subject,
                    one.received_at,
                    one.attempts,
                    one.error or "",
                )
                for one in letters
            ]
            mails = session.execute(
                select(Notification)
                .where(col(Notification.status) == FAILED)
                .order_by(col(Notification.created_at))
                .limit(limit)
            ).scalars()
            found += [
                DeadLetter(
                    service,
                    one.id,
                    "notification",
                    one.kind,
                    one.onboarding_id,
                    one.created_at,
                    one.attempts,
                    one.error or "",
                )
                for one in mails
            ]
    return sorted(found, key=lambda one: one.since)


def show(database: Database, letter_id: str) -> dict[str, Any]:
    """Everything that is kept of one dead letter.

    Raises:
        NotDead: there is none by that id.
    """
    with database.read() as session:
        row = session.get(Inbox, letter_id)
        if row is not None and row.status in (DEAD, DROPPED, WAITING):
            return row.model_dump(exclude={"body", "postage"}) | {
                "postage": json.loads(row.postage or "{}"),
                "body": _readable(row.body or b""),
            }
        mail = session.get(Notification, letter_id)
        if mail is not None and mail.status == FAILED:
            return mail.model_dump()
    raise NotDead(f"there is no dead letter {letter_id}")


def retry(database: Database, letter_id: str, *, by: str, why: str) -> None:
    """Give a dead letter back to the service that failed, and to no other, once.

    Raises:
        NotDead: there is none by that id, or somebody was first.
    """
    now = datetime.now(UTC)
    decision = {"decided_by": by, "decided_at": now, "decision": f"retry: {why}"}
    renewed = {"status": WAITING, "due_at": now, "attempts": 0, "error": None, **decision}
    if not _decide(database, Inbox, letter_id, DEAD, renewed):
        again = {"status": UNSENT, "due_at": now, "attempts": 0, "error": None}
        if not _decide(database, Notification, letter_id, FAILED, again):
            raise NotDead(f"there is no dead letter {letter_id}, or somebody decided about it")


def drop(database: Database, letter_id: str, *, by: str, why: str) -> None:
    """Let a dead letter rest; it stays on record with the reason.

    Raises:
        NotDead: there is none by that id, or somebody was first.
    """
    now = datetime.now(UTC)
    decision = {"decided_by": by, "decided_at": now, "decision": f"drop: {why}"}
    if not _decide(database, Inbox, letter_id, DEAD, {"status": DROPPED, **decision}):
        reason = {"status": CANCELLED, "error": f"dropped by {by}: {why}"}
        if not _decide(database, Notification, letter_id, FAILED, reason):
            raise NotDead(f"there is no dead letter {letter_id}, or somebody decided about it")


def _decide(
    database: Database,
    table: type[Inbox] | type[Notification],
    letter_id: str,
    status: str,
    values: Mapping[str, Any],
) -> bool:
    """Compare and set: only the first of two people finds the row as it was."""
    with database.begin() as session:
        statement = (
            update(table)
            .where(col(table.id) == letter_id, col(table.status) == status)
            .values(**values)
            .returning(col(table.id))
        )
        return session.execute(statement).first() is not None


def _readable(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "backslashreplace")[:20_000]
