"""What a service does beside consuming: a thread for each task, woken by who makes work for it."""

import math
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from shared.host.recall import Recall
from shared.host.role import Role
from shared.host.timekeeping import Timekeeper
from shared.messaging.bus import Bus
from shared.notifications import queue
from shared.notifications.delivery.sender import BATCH as FULL_ROUND
from shared.notifications.delivery.sender import NotificationSender
from shared.notifications.queue import WAITING_NOTIFICATIONS
from shared.processing.engine import Engine
from shared.processing.store import decisions, inbox, retention, triage
from shared.processing.store.inbox import WAITING_MESSAGES
from shared.processing.store.outbox import UNPUBLISHED_EVENTS
from shared.processing.unit_of_work import translate_errors
from shared.processing.worker.periodic import PeriodicTask, Signal

OUTBOX_KEPT = timedelta(days=7)
INBOX_KEPT = timedelta(days=30)
"""Longer than any replay reaches back, so that a replayed event is recognised."""
NOTIFICATIONS_KEPT = timedelta(days=90)
"""Long enough to answer a payer who asks what they were sent; addresses are not kept for ever."""
DECISIONS_KEPT = timedelta(days=365)
"""Long enough for whoever asks why a customer's message was changed or dropped."""
CLEANING_LIMIT = 1000
"""Rows of each table that one portion removes."""

CONFIRM_LINGER_SECONDS = 0.02
"""Seconds that the broker's answers wait for a transaction that passes by and takes them along;
after that they get one of their own."""

MAIL_LINGER_SECONDS = 0.05
MAIL_SUCCESSION_SECONDS = 0.25
"""Mails that come within this of the ones before wait so long for more: a round that claims,
reads and marks costs several times what one more mail in it does. One that comes alone leaves
at once."""

MAIL_REST = 4.0
LONGEST_MAIL_REST = 1.0
"""Seconds; a provider that is slow keeps the machine from nobody."""

SWEEPER_REST = 2.0
NEWS_SECONDS = 0.5
"""A backlog is published during a third of the time as long as something new is said so often."""

CONFIRM_INTERVAL_SECONDS = 60.0
CLEANING_INTERVAL_SECONDS = 600.0
CLOCK_INTERVAL_SECONDS = 10.0
LOOK_AROUND_SECONDS = 5.0
"""Seconds between two looks for what other processes have left or made due; what this process
itself makes due, it knows without looking."""

MAIL_LOOK_SECONDS = 1.0
"""The same for a process that only delivers: all that it has to send, other processes have left."""


class Tasks:
    """One service's periodic tasks; iterating over it gives their threads."""

    def __init__(
        self,
        engine: Engine,
        sender: NotificationSender,
        bus: Bus,
        time: Timekeeper,
        notify: Signal,
        only: Role | None = None,
    ) -> None:
        self._only = only
        self._engine = engine
        self._bus = bus
        self._time, self._clock = time, time.clock
        self._recall = Recall(engine, time.clock)
        signals = engine.signals
        self.confirm_flusher = PeriodicTask(
            f"{engine.name}-confirm-flusher",
            self.flush_confirms,
            every=CONFIRM_INTERVAL_SECONDS,
            signal=signals.confirms,
            gather=CONFIRM_LINGER_SECONDS,
        )
        self.sweeper = self._when_due(
            "sweeper",
            self.sweep,
            UNPUBLISHED_EVENTS.next_due,
            signals.unconfirmed,
            rest=self._rest_of_sweeper,
        )
        self.due = self._when_due("due", engine.run_due, WAITING_MESSAGES.next_due, signals.due)
        self.notifications = PeriodicTask(
            f"{engine.name}-notifications",
            sender.deliver_due,
            every=MAIL_LOOK_SECONDS if only is Role.DELIVER else LOOK_AROUND_SECONDS,
            signal=notify,
            due_in=partial(self._seconds_until, WAITING_NOTIFICATIONS.next_due),
            gather=MAIL_LINGER_SECONDS,
            succession=MAIL_SUCCESSION_SECONDS,
            full=FULL_ROUND,
            rest=self._rest_of_mails,
        )
        self.timekeeping = PeriodicTask(
            f"{engine.name}-clock", self.keep_time, every=CLOCK_INTERVAL_SECONDS
        )
        self.cleaning = PeriodicTask(
            f"{engine.name}-cleaning", self.clean, every=CLEANING_INTERVAL_SECONDS, rest=float
        )

    def __iter__(self) -> Iterator[PeriodicTask]:
        # Whoever delivers has something to publish as well: that a mail has left.
        tasks = [self.confirm_flusher, self.sweeper, self.timekeeping]
        if self._only is not Role.DELIVER:
            tasks += [self.due, self.cleaning]
        if self._only is not Role.CONSUME:
            tasks.append(self.notifications)
        return iter(tasks)

    def flush_confirms(self) -> int:
        """Mark what the broker has answered, unless transactions pass by that take it along."""
        publisher = self._engine.publisher
        if publisher.seconds_since_marking() < CONFIRM_LINGER_SECONDS:
            self.confirm_flusher.wake()  # Look again when they no longer do.
            return 0
        with translate_errors():
            publisher.flush_confirms()
        return 0

    def sweep(self) -> int:
        """Publish what was left unpublished; returns how many events."""
        publisher = self._engine.publisher
        with translate_errors():
            publisher.flush_confirms()
            return publisher.sweep() if self._bus.healthy() else 0

    def _rest_of_sweeper(self, took: float) -> float:
        """A backlog leaves most of broker and database to what is said now, while there is any."""
        newest = self._engine.publisher.seconds_since_news()
        return SWEEPER_REST * took if newest < NEWS_SECONDS else 0.0

    def _rest_of_mails(self, took: float) -> float:
        """Mails leave most of the machine to whoever waits for an answer, while anybody does."""
        latest = self._engine.seconds_since_request()
        return min(MAIL_REST * took, LONGEST_MAIL_REST) if latest < NEWS_SECONDS else 0.0

    def keep_time(self) -> int:
        """Ask what time it is, and call back what is due too far ahead; returns how many rows."""
        with translate_errors():
            self._time.measure()
        return self.recall()

    def recall(self) -> int:
        """Make due what a wrong clock had wait for too long; returns how many rows."""
        recalled = self._recall.run()
        if recalled:
            for task in (self.sweeper, self.due, self.notifications):
                task.wake()
        return recalled

    def clean(self) -> int:
        """Remove a portion of what need not be kept any longer; returns how many rows.

        Nothing is removed while the clocks of machine and database disagree: one of them is wrong.
        """
        if self._time.apart:
            return 0
        limit = CLEANING_LIMIT
        with self._engine.transactions.internal_transaction() as work:
            now = retention.advance(work.session, self._clock(), self._time.seconds_passed())
        with translate_errors():
            removed = self._engine.publisher.forget(now - OUTBOX_KEPT, limit)
        with self._engine.transactions.internal_transaction() as work:
            removed += inbox.forget(work.session, now - INBOX_KEPT, limit)
            removed += queue.forget(work.session, now - NOTIFICATIONS_KEPT, limit)
            removed += decisions.forget(work.session, now - DECISIONS_KEPT, limit)
            removed += triage.forget(work.session, now - DECISIONS_KEPT, limit)
        return removed

    def _when_due(
        self,
        name: str,
        work: Callable[[], int],
        next_due: Callable[[Session], datetime | None],
        signal: Signal,
        rest: Callable[[float], float] = lambda took: 0.0,
    ) -> PeriodicTask:
        return PeriodicTask(
            f"{self._engine.name}-{name}",
            work,
            every=LOOK_AROUND_SECONDS,
            signal=signal,
            due_in=partial(self._seconds_until, next_due),
            rest=rest,
        )

    def _seconds_until(self, next_due: Callable[[Session], datetime | None]) -> float:
        with self._engine.transactions.reading() as session:
            moment = next_due(session)
        return math.inf if moment is None else (moment - self._clock()).total_seconds()
