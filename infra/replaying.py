"""Replaying: published events stay for a week, so a queue that missed them is served again."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from sqlalchemy import select
from sqlmodel import col

from infra.composition import Lines, build_service, service_names
from shared.database import Database
from shared.errors import StappenplanError
from shared.messaging.bus import Incoming, Outgoing, Receipt
from shared.messaging.topology import ADMIN
from shared.processing import inbox
from shared.processing.model import Outbox
from shared.processing.reading import Reader
from shared.processing.runtime import OUTBOX_KEPT
from shared.settings import Settings

AT_A_TIME = 200


def published(settings: Settings, service: str, since: datetime) -> list[Outgoing]:
    """What every service published since then and this one subscribes to, the oldest first.

    At most a week of it: a row that nobody came by to clean away may be older than what the
    service's inbox remembers, and would have its effect a second time.
    """
    wanted = build_service(service, settings).hears
    since = max(since, datetime.now(UTC) - OUTBOX_KEPT)
    rows: list[Outbox] = []
    for name in service_names():
        database = Database(settings.database_url_of(name))
        with database.read() as session:
            statement = select(Outbox).where(
                col(Outbox.published_at) >= since, col(Outbox.type).in_(wanted)
            )
            rows += session.execute(statement).scalars()
        database.close()
    rows.sort(key=lambda row: row.created_at)
    return [Outgoing(row.id, row.type, row.body, queue=service) for row in rows]


def send_again(settings: Settings, service: str, events: Iterable[Outgoing]) -> Iterator[int]:
    """Hand events straight to one service; yields how many each time.

    Raises:
        StappenplanError: the broker did not take them all; it is safe to replay again.
    """
    if settings.embedded:
        yield from _into_inbox(settings, service, events)
        return
    bus = Lines(settings).bus(ADMIN, consume=False)
    bus.open()
    try:
        batch: list[Outgoing] = []
        for event in (*events, None):
            if event is not None:
                batch.append(event)
            if batch and (event is None or len(batch) == AT_A_TIME):
                receipts = bus.publish(batch).result(timeout=60)
                if any(one is not Receipt.CONFIRMED for one in receipts):
                    raise StappenplanError("the broker did not take every event; replay again")
                yield len(batch)
                batch = []
    finally:
        bus.close()


def _into_inbox(settings: Settings, service: str, events: Iterable[Outgoing]) -> Iterator[int]:
    """Without a broker, an event is put into the inbox, due at once; a known id is left alone."""
    reader = Reader(build_service(service, settings))
    database = Database(settings.database_url_of(service))
    for event in events:
        now = datetime.now(UTC)
        delivery = reader.read(Incoming(event.body, event.type, event.content_type))
        with database.begin() as session:
            inbox.park(session, delivery, now, due=now)
        yield 1
    database.close()
