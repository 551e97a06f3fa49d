"""What was mailed and texted about one customer, for whoever looks at their story."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlmodel import Session, col, select

from shared.notifications.senders.outgoing import masked
from shared.notifications.tables import Notification


@dataclass(frozen=True)
class SentMessage:
    """One mail or text: `to` is masked, `at` is when it was handed over, or was written so far."""

    kind: str
    channel: Literal["email", "sms"]
    to: str
    status: str
    at: datetime


def messages_about(session: Session, onboarding_id: str) -> list[SentMessage]:
    """Every mail and text of this service about one onboarding, the earliest first."""
    query = (
        select(Notification)
        .where(Notification.onboarding_id == onboarding_id)
        .order_by(col(Notification.created_at), col(Notification.id))
    )
    return [
        SentMessage(
            row.kind,
            "sms" if row.channel == "sms" else "email",
            masked(row.recipient),
            row.status,
            row.sent_at or row.created_at,
        )
        for row in session.exec(query)
    ]
