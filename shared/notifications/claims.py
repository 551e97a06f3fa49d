"""Which notifications are ours to send, and for how long: claimed in a transaction of their own."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from shared.crash_points import reached
from shared.notifications.model import WAITING, Notification
from shared.processing.transactions import Transactions

LEASE = timedelta(minutes=5)
LONGEST_ROUND = LEASE / 2
"""After this nothing more is handed over: what has left must be marked before the lease ends."""


class Claims:
    """Claims what is due, a lease at a time, and gives back what was not tried."""

    def __init__(self, transactions: Transactions, clock: Callable[[], datetime]) -> None:
        self._transactions = transactions
        self._clock = clock
        self._doubtful: dict[str, datetime | None] = {}

    def take(self, limit: int, without: Sequence[str] = ()) -> Sequence[Notification]:
        """Claim what is due, counting an attempt for each; nothing for the channels `without`.

        Raises:
            InfrastructureDown: the database is away. It may have committed the claim all the
                same; the next call finds out, so that nothing has to wait for its lease to end.
        """
        if self._doubtful:
            ours = self._look_up()
            if ours:
                return ours
        with self._transactions.bookkeeping() as session:
            rows = self._claim(session, limit, without)
            self._doubtful = {one.id: one.due_at for one in rows}
        self._doubtful = {}
        return rows

    def in_time(self, notification: Notification) -> bool:
        """Whether it is ours for long enough to hand it over and mark it."""
        due = notification.due_at
        return due is not None and self._clock() < due - LEASE + LONGEST_ROUND

    def give_back(self, notifications: Sequence[Notification], due: Mapping[str, datetime]) -> None:
        """Make what was claimed and not tried due again, by its channel, and count no attempt.

        Raises:
            InfrastructureDown: the database is away; it becomes due when the lease ends.
        """
        ours = {one.id: one.due_at for one in notifications}
        with self._transactions.bookkeeping() as session:
            for row in _still_ours(session, ours):
                row.due_at, row.attempts = due[row.channel], row.attempts - 1

    def _claim(
        self, session: Session, limit: int, without: Sequence[str]
    ) -> Sequence[Notification]:
        now = self._clock()
        statement = (
            select(Notification)
            .where(col(Notification.status) == WAITING, col(Notification.due_at) <= now)
            .order_by(col(Notification.due_at))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        if without:
            statement = statement.where(col(Notification.channel).not_in(without))
        rows = session.execute(statement).scalars().all()
        if rows:
            reached("notification_claim.before")
        for row in rows:
            row.attempts += 1
            row.due_at = now + LEASE
        return rows

    def _look_up(self) -> Sequence[Notification]:
        """What of a claim whose outcome was never heard is ours."""
        with self._transactions.bookkeeping() as session:
            ours = _still_ours(session, self._doubtful)
        self._doubtful = {}
        return ours


def lock(session: Session, ids: Sequence[str]) -> Mapping[str, Notification]:
    """The rows with these ids, locked in the order of their ids."""
    statement = select(Notification).where(col(Notification.id).in_(ids))
    rows = session.execute(statement.order_by(col(Notification.id)).with_for_update())
    return {one.id: one for one in rows.scalars()}


def _still_ours(session: Session, claimed: Mapping[str, datetime | None]) -> Sequence[Notification]:
    """Those that wait for the end of the very lease that we took."""
    return [
        row
        for row in lock(session, list(claimed)).values()
        if row.status == WAITING and row.due_at == claimed[row.id]
    ]
