"""The acts of people: written in the transaction that did what they asked for."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlmodel import Session, col, select

from shared.persistence.bulk import insert_rows
from shared.processing.handlers.messages import Command, Message, Person
from shared.processing.store.kept_messages import ascii_json, storable
from shared.processing.store.tables import Act


def record(
    session: Session,
    person: Person,
    what: str,
    subject: str,
    now: datetime,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Record that a person did something, with this transaction."""
    insert_rows(session, Act, [_row(person, what, subject, now, details or {})])


def record_messages(session: Session, messages: Sequence[Message], now: datetime) -> None:
    """Record what people asked for by these messages; one of nobody's leaves no act."""
    rows = [
        _row(message.person, message.envelope.type, message.envelope.subject, now, _shown(message))
        for message in messages
        if message.person is not None
    ]
    if rows:
        insert_rows(session, Act, rows)


def _row(
    person: Person, what: str, subject: str, now: datetime, details: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "subject": subject,
        "what": what,
        "who": storable(person.name)[:200],
        "office": person.office,
        "address": storable(person.address)[:64],
        "at": now,
        "details": ascii_json(dict(details)),
    }


def _shown(message: Message) -> Mapping[str, Any]:
    return recorded(message.content) if isinstance(message.content, Command) else {}


def recorded(command: Command) -> dict[str, Any]:
    """What a command shows of itself beside the act: never a secret, nothing of people."""
    return command.model_dump(mode="json", include=set(command.recorded), exclude_none=True)


def about(session: Session, subject: str) -> list[Act]:
    """What people did about one onboarding, the earliest first."""
    query = select(Act).where(Act.subject == subject).order_by(col(Act.at), col(Act.id))
    return list(session.exec(query))


def details_of(act: Act) -> dict[str, Any]:
    """What the command recorded of itself."""
    details: dict[str, Any] = json.loads(act.details)
    return details
