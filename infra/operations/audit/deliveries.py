"""Where each event is, for everybody who hears it: every outbox beside the inboxes.

Outboxes are read from the newest event to the oldest, and the inboxes after them. So what is on
its way is told from what should have arrived without any of it being kept in memory.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from infra.operations.audit.books import Ledgers, Pair, SuspectKey
from infra.operations.audit.letters import Letters, heavier, read_letters
from infra.operations.audit.pages import pages, portions
from infra.operations.audit.queues import Queues
from shared.events import KING_HEARS, KING_QUEUE
from shared.host.tasks import OUTBOX_KEPT
from shared.persistence.bulk import in_
from shared.processing.store.tables import DEAD, DONE, DROPPED, WAITING, Inbox, Outbox

INBOX_ID = Inbox.__table__.c.id  # type: ignore[attr-defined]
MOST_SUSPECTS = 20_000
"""Events that are looked at twice; more than so many are missing through no accident of a moment,
and are lost at the first look."""

Tell = Callable[[str, int], None]
"""Told of the progress: what is read, and how many rows of it."""


@dataclass(frozen=True)
class Missing:
    """An event that should have arrived: published then, about this customer, by this speaker."""

    subject: str
    speaker: str
    published_at: datetime


@dataclass
class Deliveries:
    """What became of the events: a pair for each who says and who hears one.

    `unfinished` tells of customers with an event that has its effect yet to come, and what of it
    is the weightiest: dead, dropped, or waiting.
    """

    pairs: dict[tuple[str, str], Pair] = field(default_factory=dict)
    unfinished: dict[str, str] = field(default_factory=dict)
    suspects: dict[SuspectKey, Missing] = field(default_factory=dict)

    def pair(self, event: str, speaker: str, hearer: str) -> Pair:
        """The figures of one event type at one hearer."""
        return self.pairs.setdefault((event, hearer), Pair(event, speaker, hearer))

    def leave_unfinished(self, subject: str, status: str) -> None:
        """Note what is unfinished of a customer's events."""
        if heavier(self.unfinished, subject, status):
            self.unfinished[subject] = status


class DeliveryCheck:
    """One look at all outboxes and inboxes; `since` leaves out what was published before."""

    def __init__(
        self, ledgers: Ledgers, queues: Queues, now: datetime, since: datetime | None, tell: Tell
    ) -> None:
        self._ledgers, self._queues, self._now, self._tell = ledgers, queues, now, tell
        self._letters_since = since
        self._since = max(since or now - OUTBOX_KEPT, now - OUTBOX_KEPT)
        self._hears = {name: frozenset(service.hears) for name, (service, _) in ledgers.items()}
        self._letters: dict[str, Letters] = {}
        self._newest: dict[tuple[str, str], datetime] = {}
        self._seen: Deliveries = Deliveries()

    def look(self) -> Deliveries:
        """Read them all.

        Raises:
            SQLAlchemyError: a database is away.
        """
        for name, (_, database) in self._ledgers.items():
            with database.read() as session:
                self._letters[name] = read_letters(session, self._hears[name], self._letters_since)
            for subject, status in self._letters[name].about.items():
                self._seen.leave_unfinished(subject, status)
        for name in self._ledgers:
            self._read_outbox(name)
        return self._seen

    def _read_outbox(self, speaker: str) -> None:
        service, database = self._ledgers[speaker]
        for event in service.says:
            for hearer in self._hearers(event):
                self._seen.pair(event, speaker, hearer)
        at, event_id = col(Outbox.published_at), col(Outbox.id)
        rest = col(Outbox.type), col(Outbox.subject)
        published = select(at, event_id, *rest).where(at >= self._since)
        count = 0
        for page in pages(database, published, at, event_id, descending=True):
            self._tell(f"what {speaker} said", count := count + len(page))
            self._compare(speaker, page)
        with database.read() as session:
            for portion in portions(session, select(at, event_id, *rest).where(at.is_(None))):
                self._compare(speaker, portion)

    def _hearers(self, event: str) -> list[str]:
        hearers = [name for name, types in self._hears.items() if event in types]
        return [*hearers, KING_QUEUE] if event in KING_HEARS else hearers

    def _compare(self, speaker: str, page: Sequence[Any]) -> None:
        for hearer, (_, database) in self._ledgers.items():
            owed = [event for event in page if event.type in self._hears[hearer]]
            if owed:
                with database.read() as session:
                    statuses = read_statuses(session, [event.id for event in owed])
                for event in owed:
                    self._judge(speaker, hearer, event, statuses.get(event.id))
        for event in page:
            if event.type in KING_HEARS:
                pair = self._seen.pair(event.type, speaker, KING_QUEUE)
                pair.said += 1
                self._count(pair, event, DONE if event.published_at else None)

    def _judge(self, speaker: str, hearer: str, event: Any, status: str | None) -> None:
        pair = self._seen.pair(event.type, speaker, hearer)
        pair.said += 1
        status = status or self._letters[hearer].refused.get(event.id)
        if status is not None and event.published_at is not None:
            # The first that is met is the newest of all.
            self._newest.setdefault((speaker, hearer), event.published_at)
        if status is None and self._overdue(speaker, hearer, event):
            self._suspect(pair, event)
        else:
            self._count(pair, event, status)

    def _overdue(self, speaker: str, hearer: str, event: Any) -> bool:
        at: datetime | None = event.published_at
        if at is None:
            return False
        overtaken_by = self._newest.get((speaker, hearer), at) - at
        return self._queues.overdue(hearer, self._now - at, overtaken_by)

    def _suspect(self, pair: Pair, event: Any) -> None:
        if len(self._seen.suspects) < MOST_SUSPECTS:
            key = SuspectKey(event.id, event.type, pair.hearer)
            self._seen.suspects[key] = Missing(event.subject, pair.speaker, event.published_at)
        else:
            pair.lost += 1

    def _count(self, pair: Pair, event: Any, status: str | None) -> None:
        if status == DONE:
            pair.arrived += 1
            return
        if status == DEAD:
            pair.dead += 1
        elif status == DROPPED:
            pair.dropped += 1
        elif status == WAITING:
            pair.retried += 1
        elif event.published_at is None:
            pair.unpublished += 1
        else:
            pair.under_way += 1
        self._seen.leave_unfinished(event.subject, status or WAITING)


def read_statuses(session: Session, ids: Collection[str]) -> Mapping[str, str]:
    """What became of these messages in a service's inbox; of those that it has."""
    query = select(col(Inbox.id), col(Inbox.status)).where(in_(session, INBOX_ID, list(ids)))
    return {row.id: row.status for row in session.execute(query)}


def still_missing(ledgers: Ledgers, suspects: Mapping[SuspectKey, Missing]) -> set[SuspectKey]:
    """Those events that are still nowhere, and that their speaker has still said."""
    missing = set()
    for hearer, (service, database) in ledgers.items():
        here = [key for key in suspects if key.at == hearer]
        with database.read() as session:
            arrived: set[str] = set()
            for begin in range(0, len(here), 1000):
                arrived |= read_statuses(
                    session, [key.id for key in here[begin : begin + 1000]]
                ).keys()
            refused = read_letters(session, service.hears).refused if here else {}
        missing |= {key for key in here if key.id not in arrived and key.id not in refused}
    return missing
