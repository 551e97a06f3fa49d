"""What the mails of a batch are made of: read for all of them together, described one by one."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from shared.notifications.delivery.recording import Delivery
from shared.notifications.kinds import Describe, ReadTogether
from shared.notifications.rendering.jobs import RenderJob
from shared.notifications.tables import Notification
from shared.persistence.database import Trouble, diagnose
from shared.processing.unit_of_work import WorkFailed

Described = RenderJob | WorkFailed | None
"""What a mail is made of, or what kept it from being described; None when it is not wanted."""

T = TypeVar("T")


def describe_each(session: Session, deliveries: Sequence[Delivery]) -> Sequence[Described]:
    """Describe them all, whatever is wrong with some."""
    read = _read_together(session, deliveries)
    return [_described(session, delivery, read) for delivery in deliveries]


def _read_together(
    session: Session, deliveries: Sequence[Delivery]
) -> Mapping[ReadTogether, Describe]:
    """What kinds need, read once for all that need it; without what could not be read."""
    together: dict[ReadTogether, list[Notification]] = defaultdict(list)
    for delivery in deliveries:
        if delivery.kind.read_together is not None:
            together[delivery.kind.read_together].append(delivery.notification)
    read: dict[ReadTogether, Describe] = {}
    for reading, notifications in together.items():
        describe = _unless_at_fault(session, partial(reading, session, notifications))
        if not isinstance(describe, WorkFailed):
            read[reading] = describe
    return read


def _described(
    session: Session, delivery: Delivery, read: Mapping[ReadTogether, Describe]
) -> Described:
    kind, notification = delivery.kind, delivery.notification

    def work() -> RenderJob | None:
        describe = kind.describe
        if kind.read_together is not None:
            # Where one could not be read, all are read by themselves: the others can be.
            alone = partial(kind.read_together, session, [notification])
            describe = read.get(kind.read_together) or alone()
        return describe(session, notification)

    return _unless_at_fault(session, work)


def _unless_at_fault(session: Session, work: Callable[[], T]) -> T | WorkFailed:
    """What the work returns, or its fault; the session serves the others all the same.

    Raises:
        SQLAlchemyError: the database is at fault, or is away.
    """
    try:
        return work()
    except Exception as error:
        if isinstance(error, SQLAlchemyError) and diagnose(error) is not Trouble.MESSAGE:
            raise
        session.rollback()
        return WorkFailed(error)
