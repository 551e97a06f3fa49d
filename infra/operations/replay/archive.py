"""Replaying: published events stay for a week, so a queue that missed them is served again.

However many there are, a page of each service's is in memory at a time.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime
from heapq import merge

from sqlalchemy import ColumnElement, bindparam, func, select, tuple_
from sqlmodel import col

from infra.buses import BusFactory, publish
from infra.composition import build_service, database_addresses, decoder
from shared.base.errors import StappenplanError
from shared.host.settings import Settings
from shared.host.tasks import OUTBOX_KEPT
from shared.messaging.batches import Room
from shared.messaging.bus import (
    BATCH_BYTES,
    EXCHANGE,
    Bus,
    BusDown,
    Incoming,
    Outgoing,
    PublishResult,
)
from shared.messaging.topology.topology import ADMIN
from shared.persistence.chores import without_hurry
from shared.persistence.clock import database_now
from shared.persistence.database import Database
from shared.persistence.entity import moment
from shared.processing.store import schedule
from shared.processing.store.outbox import OutboxEntry, traceparent_of
from shared.processing.store.tables import Outbox

PAGE, PAGE_BYTES = 200, BATCH_BYTES
"""Events that are read at a time from each database, and handed over at a time: so many, and so
much; one always fits."""


class NotTaken(StappenplanError):
    """The broker did not take every event; what it took before, it has."""


@dataclass(frozen=True)
class Published:
    """An event that was published once, and when."""

    at: datetime
    id: str
    type: str
    body: bytes


Hand = Callable[[Sequence[Published]], None]


class Archive:
    """What the services published since a moment, until now, and one of them subscribes to.

    At most a week of it: a row that nobody came by to clean away may be older than what the
    hearer's inbox remembers, and would have its effect a second time.
    """

    def __init__(self, settings: Settings, hearer: str, since: datetime) -> None:
        self._settings = settings
        self._stack = ExitStack()
        heard = col(Outbox.type).in_(build_service(hearer, settings).hears)
        published_at = col(Outbox.published_at)
        with closing(Database(settings.database_url_of(hearer))) as database:
            now = database_now(database)
        self.since = max(since, now - OUTBOX_KEPT)
        self._now = now
        self._wanted: tuple[ColumnElement[bool], ...] = (heard, published_at >= self.since)
        self._unpublished = (heard, published_at.is_(None))

    def __enter__(self) -> "Archive":
        self._databases = {
            name: self._stack.enter_context(closing(without_hurry(Database(address))))
            for name, address in database_addresses(self._settings).items()
        }
        # What is published while this runs goes out by itself: without an end there is none. What
        # a clock that was ahead has marked is in it, too.
        latest = [_latest(database) for database in self._databases.values()]
        end = max([self._now, *filter(None, latest)])
        self._wanted = (*self._wanted, col(Outbox.published_at) <= end)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __len__(self) -> int:
        return sum(_count(database, self._wanted) for database in self._databases.values())

    def waiting(self) -> dict[str, int]:
        """How many each service has said and not published yet: its sweeper's, not ours."""
        counts = {
            name: _count(database, self._unpublished) for name, database in self._databases.items()
        }
        return {name: count for name, count in counts.items() if count}

    def __iter__(self) -> Iterator[Published]:
        """All of them, in the order in which they were published."""
        each = [self._of(database) for database in self._databases.values()]
        return merge(*each, key=lambda event: (event.at, event.id))

    def _of(self, database: Database) -> Iterator[Published]:
        last: Published | None = None
        while page := self._page(database, last):
            yield from page
            last = page[-1]

    def _page(self, database: Database, last: Published | None) -> list[Published]:
        """The next events of a database: as many as a page has room for."""
        order = col(Outbox.published_at), col(Outbox.id)
        wanted = self._wanted
        if last is not None:
            place = tuple_(bindparam(None, last.at, moment().type), bindparam(None, last.id))
            wanted = *wanted, tuple_(*order) > place
        sizes = select(func.length(col(Outbox.body))).where(*wanted).order_by(*order).limit(PAGE)
        events = select(*order, col(Outbox.type), col(Outbox.body)).where(*wanted).order_by(*order)
        with database.read() as session:
            room = Room(PAGE, PAGE_BYTES)
            number = sum(1 for size in session.execute(sizes).scalars() if room.admit(size))
            rows = session.execute(events.limit(number)) if number else ()
            return [Published(at, id_, type_, body) for at, id_, type_, body in rows]


def _latest(database: Database) -> datetime | None:
    with database.read() as session:
        last: datetime | None = session.scalar(select(func.max(col(Outbox.published_at))))
        return last


def _count(database: Database, conditions: Sequence[ColumnElement[bool]]) -> int:
    with database.read() as session:
        statement = select(func.count()).select_from(Outbox).where(*conditions)
        return int(session.execute(statement).scalar_one())


def pages_of(events: Iterator[Published]) -> Iterator[list[Published]]:
    """The events in pages, each as full as it may be."""
    page: list[Published] = []
    room = Room(PAGE, PAGE_BYTES)
    for event in events:
        if not room.admit(len(event.body)):
            yield page
            page, room = [], Room(PAGE, PAGE_BYTES)
            room.admit(len(event.body))
        page.append(event)
    if page:
        yield page


def send_again(settings: Settings, service: str, archive: Archive) -> Iterator[Sequence[Published]]:
    """Hand events straight to one service, a page at a time; yields each page that it has.

    Raises:
        NotTaken: the broker did not take a page; it is safe to replay again.
    """
    with ExitStack() as stack:
        hand = _to_queue if not settings.embedded else _into_inbox
        give = hand(settings, service, stack)
        events = iter(archive)
        for page in pages_of(events):
            give(page)
            yield page


def _to_queue(settings: Settings, service: str, stack: ExitStack) -> Hand:
    bus: Bus = stack.enter_context(closing(BusFactory(settings).bus(ADMIN, consume=False)))
    bus.open()

    def hand(page: Sequence[Published]) -> None:
        messages = [
            OutboxEntry(event.id, event.type, "", event.body, traceparent_of(event.body)).outgoing(
                queue=service
            )
            for event in page
        ]
        try:
            results = publish(bus, messages)
        except BusDown as away:
            raise NotTaken(str(away)) from None
        if any(result is not PublishResult.CONFIRMED for result in results):
            raise NotTaken("the broker did not take every event")

    return hand


def _into_inbox(settings: Settings, service: str, stack: ExitStack) -> Hand:
    """Without a broker, an event is put into the inbox, due at once; a known id is left alone."""
    decode = decoder(settings, service).decode
    database = stack.enter_context(closing(Database(settings.database_url_of(service))))

    def hand(page: Sequence[Published]) -> None:
        now = database_now(database)
        content_type = Outgoing("", "", b"").content_type
        messages = [
            decode(Incoming(event.body, event.type, content_type, exchange=EXCHANGE))
            for event in page
        ]
        with database.begin() as session:
            schedule.schedule(session, [(message, now) for message in messages], now)

    return hand
