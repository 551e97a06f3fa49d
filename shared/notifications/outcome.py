"""What came of a try to send a mail or a text message."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from shared.notifications.letters import Letter
from shared.notifications.model import CANCELLED, FAILED, SENT, WAITING, Notification

log = structlog.get_logger()

PAUSES = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
)
SOON = PAUSES[0]

TOLD = {
    SENT: "notification_sent",
    FAILED: "notification_failed",
    CANCELLED: "notification_cancelled",
    WAITING: "notification_waits",
}


@dataclass(frozen=True)
class Outcome:
    """What came of a try, and what the row is to say of it."""

    status: str
    letter: Letter | None = None
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
        row.error = self.error and self.error[:2000]
        if self.attempts is not None:
            row.attempts = self.attempts
        if self.provider_id is not None:
            row.sent_at, row.provider_id = now, self.provider_id[:200]


def later(one: Notification, failure: Exception, now: datetime) -> Outcome:
    """It is tried again after a pause, or was tried often enough."""
    if one.attempts > len(PAUSES):
        return Outcome(FAILED, error=str(failure))
    log.warning("notification_delayed", kind=one.kind, error=type(failure).__name__)
    return Outcome(WAITING, error=str(failure), due_at=now + PAUSES[one.attempts - 1])


def not_blamed(one: Notification, failure: Exception, open_from: datetime) -> Outcome:
    """It is tried again when its way is open, after others: it may be what the way fails for."""
    log.warning("notification_held_up", channel=one.channel, error=str(failure))
    due_at, attempts = open_from + SOON, one.attempts - 1
    return Outcome(WAITING, error=str(failure), due_at=due_at, attempts=attempts)


def tell(one: Notification, status: str) -> None:
    """Tell whoever reads the log what came of it, and nothing of what is in it."""
    told = log.error if status == FAILED else log.info
    told(TOLD[status], kind=one.kind, notification_id=one.id)
