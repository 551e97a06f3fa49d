"""Dead letters for people: what failed for good, listed and shown; `decisions` are beside it.

They stand in each service's own database, events and mails alike, so that the same tool serves
every broker. Wherever an id is asked for, its beginning will do, as long as only one begins so.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, JsonValue, PlainSerializer
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
from shared.processing.store import decisions, overflow
from shared.processing.store.tables import DEAD, DONE, Decision, Inbox

Row = Inbox | Notification
R = TypeVar("R", Inbox, Notification)

Moment = Annotated[datetime, PlainSerializer(datetime.isoformat, return_type=str, when_used="json")]


class NoSuchLetter(NotDeadLettered):
    """There is no dead letter by that id."""


class DeadLetter(BaseModel):
    """One message that failed for good, as a list has it.

    `reference` and `company` name its customer, as far as the service knows them. Letters that
    died of the same have the same `fingerprint`; `alike` is how many of the list those are. `step`
    is the step of the plan at which the customer waits for it; `not_kept` how many more its speaker
    sent that were refused, and are counted only.
    """

    service: str
    id: str
    kind: Literal["message", "notification"]
    type: str
    subject: str | None
    reference: str | None = None
    company: str | None = None
    since: Moment
    attempts: int
    error: str
    fingerprint: str = ""
    alike: int = 1
    step: str | None = None
    not_kept: int = 0

    @property
    def short_id(self) -> str:
        """The id, or as much of a long one as tells it from all others."""
        return self.id[: len(REJECTED) + 16] if self.id.startswith(REJECTED) else self.id


class NotKept(BaseModel):
    """What one speaker sent beside the letters that are kept of it: refused, counted, gone."""

    service: str
    speaker: str
    number: int
    since: Moment
    error: str

    @property
    def sentence(self) -> str:
        """The same for a person."""
        return (
            f"{self.service}  and {self.number:,} more like it by {self.speaker} since "
            f"{self.since:%Y-%m-%d %H:%M}, not kept; the last one: {self.error[:200]}"
        )


class Contents(BaseModel):
    """What a message came with, and its body: as JSON where it is that, otherwise as text."""

    properties: dict[str, JsonValue]
    body: JsonValue


class ShownDecision(BaseModel):
    """What somebody decided, and what the letter had died of; a correction, if they made one."""

    verdict: str
    by: str
    at: Moment
    why: str
    error: str | None
    attempts: int
    correction: JsonValue = None


class ShownMessage(BaseModel):
    """Everything that is kept of one message.

    `body` is what is run when its time comes. Where somebody corrected it, `original` is what
    came, and `decisions` tells who put which correction in its place, when and why.
    """

    id: str
    type: str
    subject: str | None
    digest: str
    status: str
    received_at: Moment
    attempts: int
    crashes: int
    due_at: Moment | None
    error: str | None
    decided_by: str | None
    decided_at: Moment | None
    decision: str | None
    exchange: str | None
    properties: dict[str, JsonValue]
    body: JsonValue
    original: Contents | None = None
    decisions: list[ShownDecision]


class ShownNotification(BaseModel):
    """Everything that is kept of one mail or text."""

    id: str
    onboarding_id: str
    kind: str
    channel: str
    recipient: str
    language: str
    params: dict[str, JsonValue]
    status: str
    created_at: Moment
    due_at: Moment | None
    attempts: int
    sent_at: Moment | None
    provider_id: str | None
    error: str | None
    traceparent: str | None
    decided_by: str | None
    decided_at: Moment | None
    decision: str | None
    decisions: list[ShownDecision]


def find(databases: Mapping[str, Database], limit: int = 500) -> list[DeadLetter]:
    """The dead letters of these services, the oldest first; at most `limit` of each kind."""
    letters = []
    for service, database in databases.items():
        with database.read() as session:
            letters += _messages(session, service, limit)
            letters += _notifications(session, service, limit)
    return sorted(letters, key=lambda letter: letter.since)


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
    not_kept = {row.speaker: row.number for row in overflow.of_open_letters(session)}
    return [
        DeadLetter(
            service=service,
            id=row.id,
            kind="message",
            not_kept=not_kept.get(row.exchange or "", 0) if row.id.startswith(REJECTED) else 0,
            type=row.type,
            subject=row.subject,
            since=row.received_at,
            attempts=row.attempts,
            error=row.error or "",
        )
        for row in session.execute(statement).scalars()
    ]


def _notifications(session: Session, service: str, limit: int) -> list[DeadLetter]:
    failed, created = col(Notification.status) == FAILED, col(Notification.created_at)
    statement = select(Notification).where(failed).order_by(created).limit(limit)
    return [
        DeadLetter(
            service=service,
            id=row.id,
            kind="notification",
            type=row.kind,
            subject=row.onboarding_id,
            since=row.created_at,
            attempts=row.attempts,
            error=row.error or "",
        )
        for row in session.execute(statement).scalars()
    ]


def not_kept(databases: Mapping[str, Database]) -> list[NotKept]:
    """How much more each speaker sent that was refused, where letters of it still wait."""
    rows = []
    for service, database in databases.items():
        with database.read() as session:
            for row in overflow.of_open_letters(session):
                fields = row.model_dump(include={"speaker", "number", "since", "error"})
                rows.append(NotKept(service=service, **fields))
    return rows


def show(database: Database, letter_id: str) -> ShownMessage | ShownNotification:
    """Everything that is kept of one dead letter, or of one that was decided about.

    Raises:
        NotDeadLettered: there is none by that id, or there are several.
    """
    with database.read() as session:
        row = find_by_prefix(session, letter_id)
        resolutions = decisions.of(session, row.id)
        shown: dict[str, Any] = {
            "decisions": [_show_decision(decision) for decision in resolutions]
        }
        if isinstance(row, Notification):
            return ShownNotification(**row.model_dump(), **shown)
        for decision in resolutions:
            if decision.original is not None:
                shown["original"] = _contents(decision.original_properties, decision.original)
                break  # The first correction had the message as it came.
        contents = _contents(row.properties, row.body)
        kept = row.model_dump(exclude={"body", "properties"})
        return ShownMessage(**kept, **dict(contents), **shown)


def _contents(properties: str | None, body: bytes | None) -> Contents:
    return Contents(properties=json.loads(properties or "{}"), body=_readable(body or b""))


def _show_decision(decision: Decision) -> ShownDecision:
    corrected = decision.correction is not None
    correction = {"correction": _readable(decision.correction or b"")} if corrected else {}
    return ShownDecision(
        verdict=decision.verdict,
        by=decision.decided_by,
        at=decision.decided_at,
        why=decision.why,
        error=decision.error,
        attempts=decision.attempts,
        **correction,
    )


def find_by_prefix(session: Session, prefix: str) -> Row:
    """The row that a person means: by its id, or the only dead one whose id begins so.

    Raises:
        NotDeadLettered: there is none, or there are several.
    """
    exact: tuple[Row | None, ...] = (session.get(Inbox, prefix), session.get(Notification, prefix))
    for row in exact:
        if row is not None and (row.status != DONE or row.decision):
            return row
    rows: list[Row] = [
        *session.exec(_beginning(Inbox, DEAD, prefix)),
        *session.exec(_beginning(Notification, FAILED, prefix)),
    ]
    if len(rows) > 1:
        raise NotDeadLettered(f"several dead letters begin with {prefix}; give more of the id")
    if not rows or not prefix:
        raise NoSuchLetter(f"there is no dead letter {prefix}")
    return rows[0]


def _beginning(table: type[R], dead: str, prefix: str) -> SelectOfScalar[R]:
    begins = col(table.id).startswith(prefix, autoescape=True)
    return entities(table).where(col(table.status) == dead, begins).limit(2)


def _readable(body: bytes) -> JsonValue:
    """The body as JSON where every reader takes it for that; otherwise as text.

    What Python's own reader lets through, such as NaN or half a character, no answer could hold.
    """
    try:
        document: JsonValue = from_json(body, allow_inf_nan=False)
        json.dumps(document, allow_nan=False)  # A number like 1e999 is read as infinite.
    except ValueError:
        return body.decode("utf-8", "backslashreplace")[:20_000]
    return document
