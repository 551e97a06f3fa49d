"""How much there is of everything: for the metrics and for the doctor."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlmodel import Session, col

from shared.messaging.bus import Receipt
from shared.notifications.model import FAILED, Notification
from shared.notifications.model import WAITING as UNSENT
from shared.processing.model import DEAD, WAITING, Inbox, Outbox
from shared.processing.outbox import REASONS


@dataclass(frozen=True)
class Census:
    """What waits and what is dead. Done rows are not counted: that would read them all."""

    inbox: dict[str, int]
    notifications: dict[str, int]
    unpublished: int


def count(session: Session) -> Census:
    """Count through the partial indexes, whatever the size of the tables."""
    return Census(
        inbox={
            status: _how_many(session, Inbox, col(Inbox.status) == status)
            for status in (WAITING, DEAD)
        },
        notifications={
            status: _how_many(session, Notification, col(Notification.status) == status)
            for status in (UNSENT, FAILED)
        },
        unpublished=_how_many(session, Outbox, col(Outbox.published_at).is_(None)),
    )


def unroutable_types(session: Session) -> set[str]:
    """The types of unpublished events that the broker returned: no queue is bound to them."""
    statement = select(col(Outbox.type)).where(
        col(Outbox.published_at).is_(None), col(Outbox.error) == REASONS[Receipt.UNROUTABLE]
    )
    return set(session.execute(statement.distinct()).scalars())


def _how_many(session: Session, table: type, condition: object) -> int:
    statement = select(func.count()).select_from(table).where(condition)  # type: ignore[arg-type]
    return int(session.execute(statement).scalar_one())
