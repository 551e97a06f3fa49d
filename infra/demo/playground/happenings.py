"""What the services have said lately, each with what caused it, for people to watch."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from shared.host.runtime import Runtime
from shared.notifications.tables import Notification
from shared.processing.store.tables import Inbox, Outbox

SHOWN = 30


@dataclass(frozen=True)
class Happening:
    """One event: who said it, about whom, and the type of what caused it where that is known."""

    id: str
    at: datetime
    type: str
    speaker: str
    customer: str
    onboarding_id: str
    cause: str | None


def latest(runtimes: Sequence[Runtime], limit: int = SHOWN) -> list[Happening]:
    """The latest events of all services, the newest first."""
    rows = [
        (runtime.service.name, row) for runtime in runtimes for row in _published(runtime, limit)
    ]
    rows.sort(key=lambda entry: (entry[1].created_at, entry[1].id), reverse=True)
    rows = rows[:limit]
    causes = {row.id: str(json.loads(row.body).get("causationid")) for _, row in rows}
    types = _types(runtimes, list(causes.values()))
    names = _names(runtimes, [row.subject for _, row in rows])
    return [
        Happening(
            row.id,
            row.created_at,
            row.type,
            speaker,
            names.get(row.subject, ""),
            row.subject,
            types.get(causes[row.id]),
        )
        for speaker, row in rows
    ]


def _published(runtime: Runtime, limit: int) -> list[Outbox]:
    published = col(Outbox.published_at)
    query = select(Outbox).where(published.is_not(None)).order_by(published.desc()).limit(limit)
    with runtime.reading() as session:
        return list(session.exec(query))


def _types(runtimes: Sequence[Runtime], ids: Sequence[str]) -> dict[str, str]:
    """What that was which led to events: other events, what somebody asked for, mails that left."""
    types: dict[str, str] = {}
    query = select(Inbox.id, Inbox.type).where(col(Inbox.id).in_(ids))
    mails = select(Notification.id, Notification.kind).where(col(Notification.id).in_(ids))
    for runtime in runtimes:
        with runtime.reading() as session:
            types |= {row[0]: row[1] for row in session.exec(query) if row[1]}
            types |= {row[0]: f"mail {row[1]}" for row in session.exec(mails)}
    return types


def _names(runtimes: Sequence[Runtime], subjects: Sequence[str]) -> dict[str, str]:
    """The companies of these onboardings, as far as some service knows them."""
    names: dict[str, str] = {}
    for runtime in runtimes:
        if runtime.service.customers is None:
            continue
        with runtime.reading() as session:
            known = runtime.service.customers(session, list(set(subjects)))
        names |= {subject: name.company for subject, name in known.items() if name.company}
    return names
