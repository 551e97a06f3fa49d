"""The queue of mails and texts: written with the reason for them, claimed and sent afterwards."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table
from sqlmodel import Session

from shared.notifications.messages import Mail
from shared.notifications.tables import CANCELLED, FAILED, SENT, WAITING, Notification
from shared.persistence.bulk import insert_rows
from shared.processing.effects import CausedEffect
from shared.processing.resolutions import resolve
from shared.processing.retry_policy import (
    NOTIFICATION_LEASE,
    NOTIFICATION_RETRIES,
    PERHAPS_TAKEN_RETRIES,
    PROVIDER_PAUSES,
    furthest_ahead,
)
from shared.processing.store.decisions import Resolution, new_record
from shared.processing.store.leases import LeasedRows, forget_oldest
from shared.processing.unit_of_work import UnitOfWork

NOTIFICATION: Table = Notification.__table__  # type: ignore[attr-defined]

REPLY_TO = "reply_to"
"""Among the params: where an answer goes. A version without it sends the mail as before."""

WAITING_NOTIFICATIONS = LeasedRows(Notification, NOTIFICATION.c.status == WAITING, "due_at")


FURTHEST_AHEAD = furthest_ahead(
    # One that was given back waits for its provider, and then comes after the others.
    max(NOTIFICATION_LEASE, PROVIDER_PAUSES[-1] + NOTIFICATION_RETRIES.pauses[0]),
    NOTIFICATION_RETRIES,
    PERHAPS_TAKEN_RETRIES,
)


class NotificationSink:
    """Writes mails and texts to the queue, and wakes whoever sends them after the commit."""

    kinds = (Mail,)

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def store(self, work: UnitOfWork, effects: Sequence[CausedEffect]) -> None:
        """Insert them in one statement, due at once."""
        enqueue(work.session, effects, work.now)
        work.after_commit(self._wake)


def enqueue(session: Session, effects: Sequence[CausedEffect], now: datetime) -> None:
    """Write a row for each mail, due at once."""
    insert_rows(session, Notification, [_row(caused, now) for caused in effects])


def _row(caused: CausedEffect, now: datetime) -> dict[str, Any]:
    mail = caused.effect
    assert isinstance(mail, Mail)  # noqa: S101 - by its kind.
    return {
        "id": caused.id,
        "onboarding_id": caused.subject,
        "kind": mail.kind,
        "channel": mail.channel,
        "recipient": mail.to,
        "language": mail.language,
        "params": dict(mail.params) | ({REPLY_TO: mail.reply_to} if mail.reply_to else {}),
        "status": WAITING,
        "created_at": now,
        "due_at": now,
        "attempts": 0,
        "traceparent": caused.cause.traceparent,
    }


def resend(session: Session, row: Notification, resolution: Resolution) -> None:
    """Give a notification that failed another chance.

    Raises:
        NotDeadLettered: it has not failed, or somebody was first.
    """
    renewed = {"status": WAITING, "due_at": resolution.at, "attempts": 0, "error": None}
    resolve(session, row, FAILED, renewed, resolution, new_record(row, resolution))


def cancel(session: Session, row: Notification, resolution: Resolution) -> None:
    """Let a notification that failed rest; it stays on record with the reason.

    Raises:
        NotDeadLettered: it has not failed, or somebody was first.
    """
    record = new_record(row, resolution)
    resolve(session, row, FAILED, {"status": CANCELLED}, resolution, record)


def forget(session: Session, older_than: datetime, limit: int) -> int:
    """Remove what was sent or called off from before `older_than`; the rest a person decides."""
    gone = NOTIFICATION.c.status.in_((SENT, CANCELLED))
    return forget_oldest(session, NOTIFICATION.c.created_at, older_than, gone, limit=limit)
