"""Whether what was published arrives: AMQP cannot be asked for bindings, but the databases can.

Of each event type the newest that its speaker published is looked for in the inbox of everybody
who hears it. Where that is missing, the binding is gone, or the queue is very long.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlmodel import col

from shared.host.service import Service
from shared.messaging.bus import PublishResult
from shared.persistence.clock import database_now
from shared.persistence.database import Database
from shared.processing.store.tables import Inbox, Outbox

GRACE = timedelta(seconds=20)
"""How old an event must be before anybody asks where it is."""


def unheard(database: Database) -> list[str]:
    """The event types that this service keeps because no queue is bound to them."""
    with database.read() as session:
        statement = (
            select(col(Outbox.type))
            .where(
                col(Outbox.published_at).is_(None),
                col(Outbox.publish_result) == PublishResult.UNROUTABLE.value,
            )
            .distinct()
        )
        return sorted(session.execute(statement).scalars())


def not_arriving(
    services: Mapping[str, tuple[Service, Database]],
) -> Iterator[tuple[str, str]]:
    """Each event type with a service that hears it and did not get the newest one."""
    for speaker, database in services.values():
        before = database_now(database) - GRACE
        for event_type in speaker.says:
            newest = _newest_id(database, event_type, before)
            for name, (hearer, inbox) in services.items():
                if newest and event_type in hearer.hears and not _has(inbox, newest):
                    yield event_type, name


def _newest_id(database: Database, event_type: str, before: datetime) -> str | None:
    statement = (
        select(col(Outbox.id))
        .where(col(Outbox.type) == event_type, col(Outbox.published_at) < before)
        .order_by(col(Outbox.published_at).desc())
        .limit(1)
    )
    with database.read() as session:
        message_id: str | None = session.execute(statement).scalar()
        return message_id


def _has(database: Database, message_id: str) -> bool:
    with database.read() as session:
        return session.get(Inbox, message_id) is not None
