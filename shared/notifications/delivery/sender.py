"""The notification sender: claims what is due, renders it, hands it over, marks what has left.

Providers have no idempotency key, so a crash between handing over and marking sends again what
was in hand, at most a batch of 20: at least once, said honestly. One that carries a secret goes by
itself, before the others, and composes a new secret for each try.

A provider that fails is left alone for a while, and no notification is blamed for it, save the
first after one that left: the provider may fail for that one only. One that may have arrived counts
every try, and has few: nobody is to receive it ten times. What was claimed and not tried is given
back.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from shared.base.crash_points import reached
from shared.base.errors import InfrastructureDown
from shared.base.log_fields import log_fields
from shared.links import PageLinks
from shared.notifications.delivery.circuit_breakers import CircuitBreakers
from shared.notifications.delivery.claims import Claims
from shared.notifications.delivery.describing import Described, describe_each
from shared.notifications.delivery.outcome import (
    SHORTEST_PAUSE,
    Outcome,
    log_outcome,
    not_made,
    retry_later,
    retry_when_closed,
)
from shared.notifications.delivery.recording import Delivery, record
from shared.notifications.kinds import NotificationKind
from shared.notifications.senders.outgoing import OutgoingMessage
from shared.notifications.senders.protocol import (
    PerhapsTaken,
    ProviderUnavailable,
    RefusedForNow,
    Senders,
    SendFailed,
    Undeliverable,
)
from shared.notifications.tables import CANCELLED, FAILED, SENT, Notification
from shared.processing import Now
from shared.processing.retry_policy import PERHAPS_TAKEN_RETRIES
from shared.processing.unit_of_work import Transactions, UnitOfWork, WorkFailed

if TYPE_CHECKING:
    from shared.notifications.rendering.renderer import Renderer

BATCH = 20
PLAIN = NotificationKind()

_Sent = tuple[OutgoingMessage, str]
"""What has left, and the provider's id for it."""


class NotificationSender:
    """Sends one service's mails and texts."""

    def __init__(
        self,
        service: str,
        kinds: Mapping[str, NotificationKind],
        templates: Path,
        pages: Callable[[], PageLinks],
        senders: Senders,
        transactions: Transactions,
        clock: Callable[[], datetime],
    ) -> None:
        self._service = service
        self._kinds = kinds
        self._templates = templates
        self._pages = pages
        self._senders = senders
        self._transactions = transactions
        self._clock = clock
        self._claims = Claims(transactions, clock)
        self._breakers = CircuitBreakers(clock)
        self._in_hand: list[Delivery] = []
        self.stopping = threading.Event()

    @cached_property
    def _renderer(self) -> "Renderer":
        # Made for the first mail: nobody need wait for it at the start.
        from shared.notifications.rendering.renderer import Renderer

        return Renderer(self._templates, self._pages())

    def deliver_due(self, limit: int = BATCH) -> int:
        """Send what is due; returns how many were tried.

        Raises:
            InfrastructureDown: the database is away; the next call goes on with what is in hand,
                and sends nothing again.
        """
        deliveries, self._in_hand = self._in_hand or self._claimed(limit), []
        try:
            for group in _groups(deliveries):
                self._deliver(group)
        except InfrastructureDown:
            self._in_hand = deliveries
            raise
        except Exception:
            # Nothing was prepared for this, and it may be so again: not at once, and not never.
            self._give_back(deliveries, due_in=SHORTEST_PAUSE)
            raise
        self._give_back(deliveries)
        return sum(delivery.outcome is not None for delivery in deliveries)

    def _claimed(self, limit: int) -> list[Delivery]:
        rows = self._claims.take(limit, without=self._breakers.open())
        if rows:
            reached("notification_claim.after")
        return [Delivery(self._service, row, self._kinds.get(row.kind, PLAIN)) for row in rows]

    def _deliver(self, deliveries: Sequence[Delivery]) -> None:
        untried = [
            delivery
            for delivery in deliveries
            if delivery.outcome is None and self._may_go(delivery)
        ]
        if untried and untried[0].secret:
            self._try_secret(untried[0])
        elif untried:
            self._try_plain(untried)
        tried = [delivery for delivery in deliveries if delivery.outcome is not None]
        if tried:
            self._record(tried)

    def _may_go(self, delivery: Delivery) -> bool:
        """Whether it may be handed over now; if not, whoever claims it next sends it."""
        notification = delivery.notification
        return (
            not self.stopping.is_set()
            and self._claims.in_time(notification)
            and notification.channel not in self._breakers.open()
        )

    def _give_back(
        self, deliveries: Sequence[Delivery], *, due_in: timedelta = timedelta()
    ) -> None:
        """What was not tried is as if nobody had claimed it, due when its circuit is closed."""
        untried = [delivery for delivery in deliveries if delivery.outcome is None]
        if not untried:
            return
        for delivery in untried:
            if not self._claims.in_time(delivery.notification):
                self._breakers.yield_turn(delivery.notification.channel)
        rows = [delivery.notification for delivery in untried]
        due = {row.channel: self._breakers.closes_at(row.channel) + due_in for row in rows}
        try:
            self._claims.give_back(rows, due)
        except InfrastructureDown:
            self._in_hand = untried
            raise

    # From a notification to what has left.

    def _try_plain(self, deliveries: Sequence[Delivery]) -> None:
        """Have them described together, then render and hand over one after the other."""
        for delivery, job in zip(deliveries, self._described(deliveries), strict=True):
            if self._may_go(delivery):
                self._try(delivery, partial(self._render, job))

    def _try_secret(self, delivery: Delivery) -> None:
        """Compose and send; each of a few quick tries composes anew.

        A secret is thus never sent twice: a try whose outcome is unknown left one behind that
        the next try has already replaced.
        """
        self._try(delivery, partial(self._compose, delivery))

    def _described(self, deliveries: Sequence[Delivery]) -> Sequence[Described]:
        with self._transactions.reading() as session:
            return describe_each(session, deliveries)

    def _render(self, job: Described) -> OutgoingMessage | None:
        if isinstance(job, WorkFailed):
            raise job
        return None if job is None else self._renderer.render(job, self._clock())

    def _compose(self, delivery: Delivery) -> OutgoingMessage | None:
        def compose(work: UnitOfWork) -> OutgoingMessage | None:
            make = delivery.kind.compose
            now = Now(work.now)
            return make and make(work.session, delivery.notification, self._renderer, now)

        return self._transactions.run(compose)

    def _try(self, delivery: Delivery, make: Callable[[], OutgoingMessage | None]) -> None:
        """Make and hand over, with a few quick tries, and put down what came of it."""
        with log_fields(delivery.fields):
            delivery.outcome = self._outcome(
                delivery.notification, partial(self._make_and_send, make)
            )

    def _make_and_send(self, make: Callable[[], OutgoingMessage | None]) -> _Sent | None:
        message = make()
        if message is None:
            return None
        reached("send.before")
        provider_id = self._senders.send(message)
        reached("send.after")
        return message, provider_id

    def _outcome(self, notification: Notification, send: Callable[[], _Sent | None]) -> Outcome:
        try:
            sent = self._breakers.call(notification.channel, send)
        except InfrastructureDown:
            raise
        except SendFailed as failure:
            return self._send_failed(notification, failure)
        except Undeliverable as refusal:
            return Outcome(FAILED, error=str(refusal))
        except Exception as failure:
            return not_made(notification, failure, self._clock())
        if sent is None:
            return Outcome(CANCELLED)
        self._breakers.succeeded(notification.channel)
        return Outcome(SENT, outgoing=sent[0], provider_id=sent[1])

    def _send_failed(self, notification: Notification, failure: SendFailed) -> Outcome:
        """The provider fails, not the message, unless it may be working for the others."""
        channel = notification.channel
        if isinstance(failure, RefusedForNow):
            return retry_later(notification, failure, self._clock())
        alone = not (isinstance(failure, ProviderUnavailable) or self._breakers.half_open(channel))
        self._breakers.failed(channel)
        if isinstance(failure, PerhapsTaken):
            return retry_later(notification, failure, self._clock(), PERHAPS_TAKEN_RETRIES)
        if alone:
            return retry_later(notification, failure, self._clock())
        return retry_when_closed(notification, failure, self._breakers.closes_at(channel))

    # What came of it.

    def _record(self, deliveries: Sequence[Delivery]) -> None:
        """All in one transaction; where that fails, one by one."""
        try:
            self._mark(deliveries)
        except WorkFailed:
            for delivery in deliveries:
                self._record_alone(delivery)
        for delivery in deliveries:
            if delivery.outcome:
                with log_fields(delivery.fields):
                    log_outcome(delivery.outcome.status)

    def _record_alone(self, delivery: Delivery) -> None:
        try:
            self._mark([delivery])
        except WorkFailed as failure:
            delivery.outcome = delivery.outcome and delivery.outcome.unfollowed(failure)
            self._mark([delivery], saying=False)

    def _mark(self, deliveries: Sequence[Delivery], *, saying: bool = True) -> None:
        reached("sent_mark.before")
        self._transactions.run(partial(record, deliveries=deliveries, saying=saying))
        reached("sent_mark.after")


def _groups(deliveries: Sequence[Delivery]) -> Iterator[Sequence[Delivery]]:
    """What is delivered together: each secret alone, and first, since somebody waits for it."""
    for delivery in deliveries:
        if delivery.secret:
            yield [delivery]
    yield [delivery for delivery in deliveries if not delivery.secret]
