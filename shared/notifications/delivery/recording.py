"""What came of each delivery, written into its row together with what is to be said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.base.log_fields import log_fields
from shared.events.envelope import Envelope
from shared.notifications.delivery.claims import lock
from shared.notifications.delivery.outcome import Outcome
from shared.notifications.kinds import NotificationKind
from shared.notifications.tables import FAILED, WAITING, Notification
from shared.persistence.changes import write_changes
from shared.processing import Effect, Now
from shared.processing.unit_of_work import UnitOfWork


@dataclass(eq=False)
class Delivery:
    """A notification that a service has claimed, and once it was tried, what came of it."""

    service: str
    notification: Notification
    kind: NotificationKind
    outcome: Outcome | None = None

    @property
    def secret(self) -> bool:
        """Whether it is composed for one try, in this process."""
        return self.kind.compose is not None

    def fields(self) -> Mapping[str, object]:
        """By what every log line about it can be found."""
        return {
            "service": self.service,
            "notification_id": self.notification.id,
            "onboarding_id": self.notification.onboarding_id,
            "kind": self.notification.kind,
        }


def record(work: UnitOfWork, deliveries: Sequence[Delivery], saying: bool) -> None:
    """Write each outcome into its row, and with it what is to be said now."""
    rows = lock(work.session, [delivery.notification.id for delivery in deliveries])
    caused: list[tuple[Envelope, Sequence[Effect]]] = []
    for delivery in deliveries:
        row, outcome = rows[delivery.notification.id], delivery.outcome
        if outcome is None or outcome.stands_in(row, delivery.notification):
            continue  # Recorded before; only the answer to the commit was lost.
        outcome.write_to(row, work.now)
        if saying:
            with log_fields(delivery.fields):
                caused.append((_cause(row, work.now), _effects(work, row, delivery)))
    write_changes(work.session, rows.values())
    work.store(caused)


def _cause(row: Notification, now: datetime) -> Envelope:
    """The notification as the cause of what is said once it has left."""
    return Envelope(
        row.id, "/notifications", row.kind, row.onboarding_id, now, traceparent=row.traceparent
    )


def _effects(work: UnitOfWork, row: Notification, delivery: Delivery) -> Sequence[Effect]:
    """What is to be said, now that it has left or has failed for good."""
    outcome, now = delivery.outcome, Now(work.now)
    if outcome is None or outcome.status == WAITING:
        return ()
    if outcome.outgoing is not None:
        return delivery.kind.sent(work.session, row, outcome.outgoing, now)
    return delivery.kind.failed(work.session, row, now) if outcome.status == FAILED else ()
