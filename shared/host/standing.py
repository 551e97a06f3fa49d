"""How one service stands now, for operators: what is due, waits or is dead, and since when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col

from shared.host.runtime import Runtime
from shared.notifications.tables import FAILED, Notification
from shared.notifications.tables import WAITING as UNSENT
from shared.persistence.database import Trouble, diagnose
from shared.processing.store.tables import DEAD, WAITING, Inbox, Outbox

COUNTED_TO = 10_000
"""How far anything is counted: beyond that, the number changes nothing for whoever looks."""

RETRYING = text("status = 'waiting' AND attempts > 0")
"""The condition of the index, as SQLite knows it again."""


@dataclass(frozen=True)
class Standing:
    """What one service has before it; each number is counted to `COUNTED_TO` and one.

    `reasons` are what keeps it from working, in words. `due` messages could be run now; `retries`
    failed and wait for their next try; `timers` are commands for later, which is as it should be.
    `unpublished` events the broker has not confirmed, `unsent` mails have not left. `oldest` is
    since when the first of what is due waits.
    """

    reasons: Sequence[str]
    due: int
    retries: int
    timers: int
    unpublished: int
    unsent: int
    dead: int
    oldest: datetime | None

    @property
    def is_busy(self) -> bool:
        """Whether something is to be done now, or will be tried again."""
        return bool(self.due or self.retries or self.unpublished or self.unsent)


def standing(runtime: Runtime) -> Standing:
    """How a service stands, by its clock, through the partial indexes."""
    reasons, now = runtime.not_ready_reasons(), runtime.clock()
    try:
        with runtime.reading() as session:
            return _read(session, reasons, now)
    except SQLAlchemyError as error:
        if diagnose(error) is Trouble.MESSAGE:
            raise
        return Standing(reasons, 0, 0, 0, 0, 0, 0, None)  # The reasons tell that it is away.


def _read(session: Session, reasons: Sequence[str], now: datetime) -> Standing:
    waiting, unsent = col(Inbox.status) == WAITING, col(Notification.status) == UNSENT
    retries = _count(session, Inbox, RETRYING, col(Inbox.due_at) > now)
    later = _count(session, Inbox, waiting, col(Inbox.due_at) > now)
    failed = _count(session, Notification, col(Notification.status) == FAILED)
    return Standing(
        reasons=reasons,
        due=_count(session, Inbox, waiting, col(Inbox.due_at) <= now),
        retries=retries,
        timers=max(0, later - retries),
        unpublished=_count(session, Outbox, col(Outbox.published_at).is_(None)),
        unsent=_count(session, Notification, unsent),
        dead=_count(session, Inbox, col(Inbox.status) == DEAD) + failed,
        oldest=_oldest(session, now),
    )


def _count(session: Session, table: type, *conditions: Any) -> int:
    some = select(literal(1)).select_from(table).where(*conditions).limit(COUNTED_TO + 1)
    return int(session.execute(select(func.count()).select_from(some.subquery())).scalar_one())


def _oldest(session: Session, now: datetime) -> datetime | None:
    """Since when what is due waits: a message, a mail, or an event that is to be published."""
    due, unsent = col(Inbox.due_at), col(Notification.due_at)
    queries = (
        select(func.min(due)).where(col(Inbox.status) == WAITING, due <= now),
        select(func.min(unsent)).where(col(Notification.status) == UNSENT, unsent <= now),
        select(func.min(col(Outbox.created_at))).where(col(Outbox.published_at).is_(None)),
    )
    moments = [session.execute(query).scalar_one() for query in queries]
    return min((moment for moment in moments if moment is not None), default=None)
