"""Calls back what was written by a clock that was wrong, or that has been set back since.

No lease is longer than its maximum, whatever is written in it; and what was to be done in a week is
not done in a month because somebody's clock was ahead when that was written.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog

from shared.notifications import queue
from shared.notifications.queue import WAITING_NOTIFICATIONS
from shared.persistence.clock import CLOCK_TOLERANCE
from shared.processing.engine import Engine
from shared.processing.retry_policy import MESSAGE_LEASE, NOTIFICATION_LEASE
from shared.processing.store import inbox, outbox
from shared.processing.store.inbox import TRIED_MESSAGES
from shared.processing.store.leases import LeasedRows
from shared.processing.store.outbox import UNPUBLISHED_EVENTS

log = structlog.get_logger()


class _Leased(NamedTuple):
    """Rows of one kind: how far ahead they can be due, and the lease of one that is in hand."""

    rows: LeasedRows[Any]
    furthest: Sequence[timedelta]
    lease: timedelta


class Recall:
    """Looks for such rows of one service, by its own clock."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock
        self._latest: datetime | None = None
        self._kinds = (
            # To publish an event twice does no harm: every inbox knows it.
            _Leased(UNPUBLISHED_EVENTS, outbox.FURTHEST_AHEAD, timedelta()),
            _Leased(WAITING_NOTIFICATIONS, queue.FURTHEST_AHEAD, NOTIFICATION_LEASE),
            _Leased(TRIED_MESSAGES, engine.furthest_ahead, MESSAGE_LEASE),
        )

    def run(self) -> int:
        """Have a portion of them due when they should be; returns how many rows.

        Raises:
            InfrastructureDown: the database is away.
        """
        now = self._clock()
        recalled = self._leased(now) + self._planned(now)
        if recalled:
            log.warning("rows_recalled", service=self._engine.name, rows=recalled)
        return recalled

    def _leased(self, now: datetime) -> int:
        with self._engine.transactions.reading() as session:
            astray = [
                kind for kind in self._kinds if kind.rows.are_astray(session, now, kind.furthest)
            ]
        if not astray:
            return 0
        with self._engine.transactions.internal_transaction() as work:
            return sum(
                kind.rows.recall(work.session, now, kind.furthest, kind.lease) for kind in astray
            )

    def _planned(self, now: datetime) -> int:
        """Timers, and what people have retried: there are many, which are looked through seldom."""
        if self._latest is not None and now > self._latest - CLOCK_TOLERANCE:
            self._latest = max(now, self._latest)
            return 0
        with self._engine.transactions.internal_transaction() as work:
            recalled = inbox.recall_planned(work.session, now, CLOCK_TOLERANCE)
        if not recalled:
            self._latest = now
        return recalled
