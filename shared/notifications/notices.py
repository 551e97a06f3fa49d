"""What a mail may need beyond its template: an attachment, a secret, a word once it has left."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Table, func, insert, select
from sqlmodel import Session

from shared.notifications.drafts import Draft
from shared.notifications.letters import Letter
from shared.notifications.model import CANCELLED, SENT, WAITING, Notification
from shared.processing.messages import Mail, Message, Now
from shared.processing.retention import forget_oldest

if TYPE_CHECKING:
    from shared.notifications.rendering import Renderer

NOTIFICATION: Table = Notification.__table__  # type: ignore[attr-defined]

Plan = Callable[[Session, Notification], Draft | None]
Compose = Callable[[Session, Notification, "Renderer", Now], Letter | None]
Sent = Callable[[Session, Notification, Letter, Now], Sequence[Message]]
Failed = Callable[[Session, Notification, Now], Sequence[Message]]


def plan(_session: Session, notification: Notification) -> Draft | None:
    """The template of this kind, in the recipient's language."""
    return Draft(
        kind=notification.kind,
        channel=notification.channel,
        language=notification.language,
        params=notification.params,
        to=notification.recipient,
        message_key=notification.id,
    )


def say_nothing(*_: object) -> Sequence[Message]:
    """The default: that a mail has left, or could not, is nobody else's concern."""
    return ()


@dataclass(frozen=True)
class Notice:
    """How one kind of mail is made, and what is said when it has left or has failed for good.

    `plan` only reads, and says what the letter is made of; the letter is written elsewhere. A
    letter with a secret has a `compose` instead: it runs in a transaction of its own that commits
    before the letter is handed over, and again for each try. Both return None when the mail is
    no longer wanted. `sent` runs with the sent-mark.
    """

    plan: Plan = plan
    compose: Compose | None = None
    sent: Sent = say_nothing
    failed: Failed = say_nothing


def enqueue(session: Session, mails: Sequence[tuple[str, str, Mail]], now: datetime) -> None:
    """Write (id, onboarding id, mail) rows in one statement, due at once."""
    rows = [
        {
            "id": said_id,
            "onboarding_id": about,
            "kind": mail.kind,
            "channel": mail.channel,
            "recipient": mail.to,
            "language": mail.language,
            "params": dict(mail.params),
            "status": WAITING,
            "created_at": now,
            "due_at": now,
            "attempts": 0,
        }
        for said_id, about, mail in mails
    ]
    if rows:
        session.execute(insert(Notification), rows)


def next_due(session: Session) -> datetime | None:
    """When the next mail is due; None when none waits."""
    statement = select(func.min(NOTIFICATION.c.due_at)).where(NOTIFICATION.c.status == WAITING)
    found: datetime | None = session.execute(statement).scalar_one()
    return found


def forget(session: Session, older_than: datetime, limit: int) -> int:
    """Remove what was sent or called off from before `older_than`; the rest a person decides."""
    gone = NOTIFICATION.c.status.in_((SENT, CANCELLED))
    return forget_oldest(session, NOTIFICATION.c.created_at, older_than, gone, limit=limit)
