"""What came of a try to send a mail or a text message."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from shared.notifications.letters import Letter
from shared.notifications.model import CANCELLED, FAILED, SENT, WAITING, Notification

log = structlog.get_logger()

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

    def write_to(self, row: Notification, now: datetime) -> None:
        """Put it into the row, which its caller has locked."""
        row.status, row.due_at = self.status, self.due_at
        row.error = self.error and self.error[:2000]
        if self.provider_id is not None:
            row.sent_at, row.provider_id = now, self.provider_id[:200]


def tell(one: Notification, status: str) -> None:
    """Tell whoever reads the log what came of it, and nothing of what is in it."""
    told = log.error if status == FAILED else log.info
    told(TOLD[status], kind=one.kind, notification_id=one.id)
