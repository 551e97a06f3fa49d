"""What was heard and never said: every inbox beside the outboxes of those who own its events."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from infra.operations.audit.books import Ledgers, SuspectKey
from infra.operations.audit.deliveries import Tell
from infra.operations.audit.letters import corrected_ids
from infra.operations.audit.pages import pages
from shared.events import EVENTS
from shared.persistence.bulk import in_
from shared.processing.store.tables import DONE, Inbox, Outbox

OUTBOX_ID = Outbox.__table__.c.id  # type: ignore[attr-defined]
INBOX_ID = Inbox.__table__.c.id  # type: ignore[attr-defined]
LOOKED_BACK = timedelta(days=1)
"""What was heard earlier may have been forgotten by its speaker, a week after it was published:
an event may have lain on a queue, or have been replayed, six days of them."""


@dataclass(frozen=True)
class Unsaid:
    """An event that was heard then, about this customer, and stands in nobody's outbox."""

    subject: str | None
    speaker: str
    heard_at: datetime


def find_unsaid(
    ledgers: Ledgers, now: datetime, since: datetime | None, tell: Tell
) -> dict[SuspectKey, Unsaid]:
    """The events that somebody heard of late, and that their speaker did not say.

    An event is in its speaker's outbox before anybody can hear it, so that one look is enough.

    Raises:
        SQLAlchemyError: a database is away.
    """
    begin = max(since or now - LOOKED_BACK, now - LOOKED_BACK)
    found: dict[SuspectKey, Unsaid] = {}
    for hearer in ledgers:
        count = 0
        for page in _heard(ledgers, hearer, begin):
            tell(f"what {hearer} heard", count := count + len(page))
            for row in _not_in_outbox(ledgers, page):
                unsaid = Unsaid(row.subject, EVENTS[row.type].said_by, row.received_at)
                found[SuspectKey(row.id, row.type, hearer)] = unsaid
    return {key: unsaid for key, unsaid in found.items() if not _explained(ledgers, key, begin)}


def _heard(ledgers: Ledgers, hearer: str, begin: datetime) -> Iterator[Sequence[Any]]:
    service, database = ledgers[hearer]
    own = [event for event in service.hears if EVENTS[event].said_by in ledgers]
    at = col(Inbox.received_at)
    columns = at, col(Inbox.id), col(Inbox.type), col(Inbox.subject)
    query = select(*columns).where(at >= begin, col(Inbox.status) == DONE, col(Inbox.type).in_(own))
    yield from pages(database, query, at, col(Inbox.id), descending=True)


def _not_in_outbox(ledgers: Ledgers, page: Sequence[Any]) -> Iterator[Any]:
    by_speaker: dict[str, list[Any]] = {}
    for row in page:
        by_speaker.setdefault(EVENTS[row.type].said_by, []).append(row)
    for speaker, rows in by_speaker.items():
        with ledgers[speaker][1].read() as session:
            said = _said(session, [row.id for row in rows])
        yield from (row for row in rows if row.id not in said)


def _said(session: Session, ids: Sequence[str]) -> set[str]:
    query = select(col(Outbox.id)).where(in_(session, OUTBOX_ID, ids))
    return set(session.execute(query).scalars())


def _explained(ledgers: Ledgers, key: SuspectKey, begin: datetime) -> bool:
    """Whether a person put it in the place of another, or its speaker has forgotten it since.

    The latter is so when somebody else heard it before: it was served again to this one.
    """
    for _, database in ledgers.values():
        earlier = select(func.count()).where(
            col(Inbox.id) == key.id, col(Inbox.received_at) < begin
        )
        with database.read() as session:
            if session.execute(earlier.select_from(Inbox)).scalar_one():
                return True
    with ledgers[key.at][1].read() as session:
        return key.id in set(corrected_ids(session))
