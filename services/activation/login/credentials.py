"""Sending credentials: the password is made while sending, and never kept.

Generate, hash, commit the hash, send, commit the sent-mark. A try whose outcome is unknown is
followed by one with a new password, so that at most one is ever valid. The release is checked
again under the lock that stores the hash.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlmodel import Session, col

from services.activation.login import passwords
from services.activation.login.messages import with_secret
from services.activation.mails import credentials_undeliverable
from services.activation.models import SENDING, Activation
from shared.events import CustomerActivated
from shared.host.settings import Settings
from shared.notifications.kinds import NotificationKind
from shared.notifications.senders.outgoing import OutgoingMessage
from shared.notifications.tables import Notification
from shared.processing import Effect, Now

if TYPE_CHECKING:
    from shared.notifications.rendering.renderer import Renderer


def credentials_kind(settings: Settings) -> NotificationKind:
    """How a message with credentials is made and followed up."""
    return NotificationKind(compose=partial(_compose, settings), sent=_sent, failed=_failed)


def _compose(
    settings: Settings, session: Session, notification: Notification, renderer: "Renderer", now: Now
) -> OutgoingMessage | None:
    activation = _current(session, notification)
    if activation is None:
        return None  # Replaced by a later order.
    if not activation.may_be_sent:
        # Released no longer. This order has come to its end: after the next release staff give
        # another.
        activation.mark_undeliverable()
        return None
    secret = passwords.generate()
    expires_at = now + timedelta(hours=settings.credentials_hours)
    activation.equip(passwords.hash_one_time(secret), expires_at)
    return renderer.render(with_secret(session, notification, secret, expires_at), now)


def _sent(
    session: Session, notification: Notification, _message: OutgoingMessage, now: Now
) -> Sequence[Effect]:
    activation = _current(session, notification)
    if activation is None or activation.login_name is None or activation.expires_at is None:
        return []
    activation.mark_sent(now)
    return [
        CustomerActivated(
            login_name=activation.login_name,
            channel="sms" if notification.channel == "sms" else "email",
            activated_by=activation.ordered_by or "staff",
            expires_at=activation.expires_at,
        )
    ]


def _failed(session: Session, notification: Notification, _now: Now) -> Sequence[Effect]:
    activation = _current(session, notification)
    if activation is None or activation.signup is None:
        return []
    activation.mark_undeliverable()
    return [credentials_undeliverable(activation.signup, notification.channel)]


def _current(session: Session, notification: Notification) -> Activation | None:
    """The activation, locked, when this is the latest order of credentials and still open."""
    statement = select(Activation).where(
        col(Activation.onboarding_id) == notification.onboarding_id
    )
    activation = session.execute(statement.with_for_update()).scalar_one_or_none()
    if activation is None or activation.attempt != notification.params.get("attempt"):
        return None
    return activation if activation.state == SENDING else None
