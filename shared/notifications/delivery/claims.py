"""Which notifications are ours to send, and for how long: claimed in a transaction of their own."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache

from sqlmodel import Session, col

from shared.base.crash_points import reached
from shared.notifications.queue import NOTIFICATION, WAITING_NOTIFICATIONS
from shared.notifications.tables import WAITING, Notification
from shared.persistence.bulk import KEYS, among_keys
from shared.persistence.changes import write_changes
from shared.persistence.rows import columns_in_hand, read_rows
from shared.persistence.statements import Statement
from shared.processing.retry_policy import NOTIFICATION_LEASE
from shared.processing.unit_of_work import Transactions

LONGEST_ROUND = NOTIFICATION_LEASE / 2
"""After this nothing more is handed over: what has left must be marked before the lease ends."""


class Claims:
    """Claims what is due, a lease at a time, and gives back what was not tried."""

    def __init__(self, transactions: Transactions, clock: Callable[[], datetime]) -> None:
        self._transactions = transactions
        self._clock = clock
        self._in_doubt: dict[str, datetime | None] = {}

    def take(self, limit: int, without: Sequence[str] = ()) -> Sequence[Notification]:
        """Claim what is due, counting an attempt for each; nothing for the channels `without`.

        Raises:
            InfrastructureDown: the database is away. It may have committed the claim all the
                same; the next call finds out, so that nothing has to wait for its lease to end.
        """
        if self._in_doubt:
            ours = self._look_up()
            if ours:
                return ours
        with self._transactions.internal_transaction() as work:
            rows = self._claim(work.session, work.now, limit, without)
            self._in_doubt = {row.id: row.due_at for row in rows}
        self._in_doubt = {}
        return rows

    def in_time(self, notification: Notification) -> bool:
        """Whether it is ours for long enough to hand it over and mark it."""
        due = notification.due_at
        return due is not None and self._clock() < due - NOTIFICATION_LEASE + LONGEST_ROUND

    def give_back(self, notifications: Sequence[Notification], due: Mapping[str, datetime]) -> None:
        """Make what was claimed and not tried due again, by its channel, and count no attempt.

        Raises:
            InfrastructureDown: the database is away; it becomes due when the lease ends.
        """
        ours = {notification.id: notification.due_at for notification in notifications}
        with self._transactions.internal_transaction() as work:
            rows = _still_ours(work.session, ours)
            for row in rows:
                row.due_at, row.attempts = due[row.channel], row.attempts - 1
            write_changes(work.session, rows)

    def _claim(
        self, session: Session, now: datetime, limit: int, without: Sequence[str]
    ) -> Sequence[Notification]:
        others = [col(Notification.channel).not_in(without)] if without else []
        rows = WAITING_NOTIFICATIONS.claim(session, now, limit, *others)
        if rows:
            reached("notification_claim.before")
        WAITING_NOTIFICATIONS.lease_together(session, rows, now + NOTIFICATION_LEASE)
        return rows

    def _look_up(self) -> Sequence[Notification]:
        """What of a claim whose outcome was never heard is ours."""
        with self._transactions.internal_transaction() as work:
            ours = _still_ours(work.session, self._in_doubt)
        self._in_doubt = {}
        return ours


def lock(session: Session, ids: Sequence[str]) -> Mapping[str, Notification]:
    """The rows with these ids, in hand and locked in the order of their ids.

    What is changed of them is written by `persistence.changes`.
    """
    statement = _lock_by_ids(session.get_bind().dialect.name)
    return {row.id: row for row in read_rows(session, Notification, statement, {KEYS: list(ids)})}


@cache
def _lock_by_ids(dialect: str) -> Statement:
    query = columns_in_hand(Notification).where(among_keys(NOTIFICATION.c.id, dialect))
    return Statement(query.order_by(NOTIFICATION.c.id).with_for_update())


def _still_ours(session: Session, claimed: Mapping[str, datetime | None]) -> Sequence[Notification]:
    """Those that wait for the end of the very lease that we took."""
    return [
        row
        for row in lock(session, list(claimed)).values()
        if row.status == WAITING and row.due_at == claimed[row.id]
    ]
