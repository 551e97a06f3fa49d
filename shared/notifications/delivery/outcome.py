"""What came of a try to send a mail or a text message."""

from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from shared.notifications.senders.outgoing import OutgoingMessage
from shared.notifications.tables import CANCELLED, FAILED, SENT, WAITING, Notification
from shared.processing.dead_letters import is_permanent
from shared.processing.retry_policy import NOTIFICATION_RETRIES, RetryPolicy
from shared.processing.store.kept_messages import storable
from shared.processing.unit_of_work import WorkFailed

log = structlog.get_logger()

SHORTEST_PAUSE = NOTIFICATION_RETRIES.pauses[0]
MAX_PROVIDER_ID_CHARACTERS = 200

LOG_EVENTS = {
    SENT: "notification_sent",
    FAILED: "notification_failed",
    CANCELLED: "notification_cancelled",
    WAITING: "notification_waits",
}


@dataclass(frozen=True)
class Outcome:
    """What came of a try, and what the row is to say of it."""

    status: str
    outgoing: OutgoingMessage | None = None
    provider_id: str | None = None
    error: str | None = None
    due_at: datetime | None = None
    attempts: int | None = None
    """So many count; None when this try counts as well, as its claim has put it down."""

    def stands_in(self, row: Notification, claimed: Notification) -> bool:
        """Whether the row says so already: it was ours as `claimed`, and is locked now."""
        if row.status != WAITING:
            return True
        # A row that waits for its next try is no longer ours, and may be another's by now.
        return self.status == WAITING and row.due_at != claimed.due_at

    def write_to(self, row: Notification, now: datetime) -> None:
        """Put it into the row, which its caller has locked."""
        row.status, row.due_at = self.status, self.due_at
        row.error = self.error and storable(self.error)
        if self.attempts is not None:
            row.attempts = self.attempts
        if self.provider_id is not None:
            row.sent_at = now
            row.provider_id = storable(self.provider_id)[:MAX_PROVIDER_ID_CHARACTERS]

    def unfollowed(self, failure: WorkFailed) -> "Outcome":
        """The same try, when what is to be said of it cannot be said.

        It has failed, once: tried again it would leave again, each time without end.
        """
        error = f"tried, but what follows failed: {failure}"
        if self.error:
            error = f"{error}; before that: {self.error}"
        return replace(self, status=FAILED, error=error, due_at=None)


def not_made(notification: Notification, failure: Exception, now: datetime) -> Outcome:
    """It could not be made: what a rule forbids has failed at once, all else is tried again."""
    failure = failure if isinstance(failure, WorkFailed) else WorkFailed(failure)
    if is_permanent(failure.reason):
        return Outcome(FAILED, error=str(failure.reason))
    return retry_later(notification, failure, now)


def retry_later(
    notification: Notification,
    failure: Exception,
    now: datetime,
    policy: RetryPolicy = NOTIFICATION_RETRIES,
) -> Outcome:
    """This try counts: it is tried again after a pause, as often as its policy allows."""
    pause = policy.pause_after(notification.attempts)
    if pause is None:
        return Outcome(FAILED, error=str(failure))
    log.warning("notification_delayed", error=type(_reason_of(failure)).__name__)
    return Outcome(WAITING, error=str(failure), due_at=now + pause)


def retry_when_closed(
    notification: Notification, failure: Exception, closes_at: datetime
) -> Outcome:
    """It is tried again when its circuit is closed, after others: the provider may fail for it."""
    log.warning("provider_unavailable", channel=notification.channel, error=str(failure))
    due_at, attempts = closes_at + SHORTEST_PAUSE, notification.attempts - 1
    return Outcome(WAITING, error=str(failure), due_at=due_at, attempts=attempts)


def log_outcome(status: str) -> None:
    """Tell whoever reads the log what came of it, and nothing of what is in it."""
    write = log.error if status == FAILED else log.info
    write(LOG_EVENTS[status])


def _reason_of(failure: Exception) -> Exception:
    return failure.reason if isinstance(failure, WorkFailed) else failure
