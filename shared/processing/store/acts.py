"""The acts of people: written in the transaction that did what they asked for."""

import json
from collections.abc import Mapping
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
    row = {
        "id": str(uuid4()),
        "subject": subject,
        "what": what,
        "who": storable(person.name)[:200],
        "office": person.office,
        "address": storable(person.address)[:64],
        "at": now,
        "details": ascii_json(dict(details or {})),
    }
    insert_rows(session, Act, [row])


def record_message(session: Session, message: Message, now: datetime) -> None:
    """Record a message that a person asked for; one of nobody's leaves no act."""
    if message.person is None:
        return
    content = message.content
    details = recorded(content) if isinstance(content, Command) else {}
    envelope = message.envelope
    record(session, message.person, envelope.type, envelope.subject, now, details)


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
