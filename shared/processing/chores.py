"""What a service does beside consuming: each chore on a thread of its own, asleep mostly."""

import math
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from shared.messaging.bus import Bus
from shared.notifications import notices
from shared.notifications.postman import Postman
from shared.processing import decisions, inbox, outbox
from shared.processing.dispatch import Dispatcher
from shared.processing.loops import Chore
from shared.processing.outbox import OutboxRelay
from shared.processing.speech import Speech
from shared.processing.transactions import Transactions

OUTBOX_KEPT = timedelta(days=7)
INBOX_KEPT = timedelta(days=30)
"""Longer than any replay reaches back, so that a replayed event is recognised."""
MAILS_KEPT = timedelta(days=90)
"""Long enough to answer a payer who asks what he was sent; addresses are not kept for ever."""
DECISIONS_KEPT = timedelta(days=365)
"""Long enough for whoever asks why a customer's message was changed or dropped."""

SETTLING = 0.1
"""Seconds that the broker's answers wait for a transaction that passes by and takes them along;
after that they get one of their own."""

LOOK_AROUND = 5.0
"""Seconds between two looks for what other processes have left or made due; what this process
itself makes due, it knows without looking."""


class Chores:
    """One service's chores; iterating over it gives their threads."""

    def __init__(
        self,
        service: str,
        transactions: Transactions,
        relay: OutboxRelay,
        dispatcher: Dispatcher,
        postman: Postman,
        bus: Bus,
        clock: Callable[[], datetime],
    ) -> None:
        self._service = service
        self._transactions = transactions
        self._relay = relay
        self._bus = bus
        self._clock = clock
        self.settler = Chore(f"{service}-settler", self.settle, every=60.0, gather=SETTLING)
        self.sweeper = self._when_due("sweeper", self.sweep, outbox.next_due)
        self.due = self._when_due("due", dispatcher.run_due, inbox.next_due)
        self.mail = self._when_due("mail", postman.deliver_due, notices.next_due)
        self.cleaning = Chore(f"{service}-cleaning", self.clean, every=600.0, rest=1.0)

    def __iter__(self) -> Iterator[Chore]:
        return iter((self.settler, self.sweeper, self.due, self.mail, self.cleaning))

    def be_woken(self, speech: Speech, dispatcher: Dispatcher) -> None:
        """Have those who make work for a chore wake it."""
        self._relay.on_outcome = self.settler.wake
        self._relay.on_unconfirmed = self.sweeper.wake
        speech.on_mail = self.mail.wake
        speech.on_later = self.due.wake
        dispatcher.on_waiting = self.due.wake

    def settle(self) -> int:
        """Mark what the broker has answered, unless transactions pass by that take it along."""
        if self._relay.waited() < SETTLING:
            self.settler.wake()  # Look again when they no longer do.
            return 0
        with self._transactions.infrastructure():
            self._relay.settle()
        return 0

    def sweep(self) -> int:
        """Publish what was left unpublished; returns how many events."""
        with self._transactions.infrastructure():
            self._relay.settle()
            return self._relay.sweep() if self._bus.healthy() else 0

    def clean(self) -> int:
        """Remove a portion of what need not be kept any longer; returns how many rows."""
        now = self._clock()
        with self._transactions.infrastructure():
            removed = self._relay.forget(now - OUTBOX_KEPT, limit=1000)
        with self._transactions.bookkeeping() as session:
            removed += inbox.forget(session, now - INBOX_KEPT, limit=1000)
            removed += notices.forget(session, now - MAILS_KEPT, limit=1000)
            removed += decisions.forget(session, now - DECISIONS_KEPT, limit=1000)
        return removed

    def _when_due(
        self,
        name: str,
        work: Callable[[], int],
        next_due: Callable[[Session], datetime | None],
    ) -> Chore:
        return Chore(
            f"{self._service}-{name}",
            work,
            every=LOOK_AROUND,
            due_in=partial(self._seconds_until, next_due),
        )

    def _seconds_until(self, next_due: Callable[[Session], datetime | None]) -> float:
        with self._transactions.reading() as session:
            moment = next_due(session)
        return math.inf if moment is None else (moment - self._clock()).total_seconds()
