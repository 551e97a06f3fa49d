"""Dead letters for people: what failed for good, per service (`infra.decisions` is about the rest).

They stand in each service's own database, events and mails alike, so that the same tool serves
every broker. Wherever an id is asked for, its beginning will do, as long as only one begins so.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from pydantic_core import from_json
from sqlalchemy import inspect, select
from sqlalchemy.orm import defer
from sqlmodel import Session, col
from sqlmodel import select as entities
from sqlmodel.sql.expression import SelectOfScalar

from shared.notifications.tables import FAILED, Notification
from shared.persistence.database import Database
from shared.processing.dead_letters import REJECTED
from shared.processing.resolutions import NotDeadLettered
from shared.processing.store import decisions
from shared.processing.store.tables import DEAD, DONE, Decision, Inbox

Row = Inbox | Notification
R = TypeVar("R", Inbox, Notification)


class NoSuchLetter(NotDeadLettered):
    """There is no dead letter by that id."""


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
        return self.id[: len(REJECTED) + 16] if self.id.startswith(REJECTED) else self.id


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
    # A message may be as large as a broker takes; hundreds of them are no list.
    attributes = inspect(Inbox).attrs
    light = (
        defer(attributes["body"].class_attribute),
        defer(attributes["properties"].class_attribute),
    )
    statement = select(Inbox).options(*light).where(col(Inbox.status) == DEAD)
    statement = statement.order_by(received).limit(limit)
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

    `body` is what is run when its time comes. Where somebody corrected it, `original` is what
    came, and `decisions` tells who put which correction in its place, when and why.

    Raises:
        NotDeadLettered: there is none by that id, or there are several.
    """
    with database.read() as session:
        row = find_by_prefix(session, letter_id)
        made = decisions.of(session, row.id)
        told = {"decisions": [_told(one) for one in made]}
        if isinstance(row, Notification):
            return row.model_dump() | told
        found = row.model_dump(exclude={"body", "properties"}) | _contents(row.properties, row.body)
        originals = [one for one in made if one.original is not None]
        if originals:
            first = originals[0]
            found["original"] = _contents(first.original_properties, first.original)
        return found | told


def _contents(properties: str | None, body: bytes | None) -> dict[str, Any]:
    return {"properties": json.loads(properties or "{}"), "body": _readable(body or b"")}


def _told(one: Decision) -> dict[str, Any]:
    told: dict[str, Any] = {
        "verdict": one.verdict,
        "by": one.decided_by,
        "at": one.decided_at,
        "why": one.why,
        "error": one.error,
        "attempts": one.attempts,
    }
    corrected = one.correction is not None
    return told | ({"correction": _readable(one.correction or b"")} if corrected else {})


def find_by_prefix(session: Session, given: str) -> Row:
    """The row that a person means: by its id, or the only dead one whose id begins so.

    Raises:
        NotDeadLettered: there is none, or there are several.
    """
    exact: tuple[Row | None, ...] = (session.get(Inbox, given), session.get(Notification, given))
    for row in exact:
        if row is not None and (row.status != DONE or row.decision):
            return row
    found: list[Row] = [
        *session.exec(_beginning(Inbox, DEAD, given)),
        *session.exec(_beginning(Notification, FAILED, given)),
    ]
    if len(found) > 1:
        raise NotDeadLettered(f"several dead letters begin with {given}; give more of the id")
    if not found or not given:
        raise NoSuchLetter(f"there is no dead letter {given}")
    return found[0]


def _beginning(table: type[R], dead: str, given: str) -> SelectOfScalar[R]:
    begins = col(table.id).startswith(given, autoescape=True)
    return entities(table).where(col(table.status) == dead, begins).limit(2)


def _readable(body: bytes) -> Any:
    """The body as JSON where every reader takes it for that; otherwise as text.

    What Python's own reader lets through, such as NaN or half a character, no answer could hold.
    """
    try:
        found = from_json(body, allow_inf_nan=False)
        json.dumps(found, allow_nan=False)  # A number like 1e999 is read as infinite.
    except ValueError:
        return body.decode("utf-8", "backslashreplace")[:20_000]
    return found
