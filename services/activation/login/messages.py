"""A message that brings a one-time password: what it is made of, for one try alone."""

from dataclasses import replace
from datetime import datetime
from secrets import token_hex

from sqlmodel import Session

from services.activation.login.passwords import Secret
from shared.notifications.kinds import describe
from shared.notifications.rendering.jobs import RenderJob
from shared.notifications.tables import Notification


def with_secret(
    session: Session, notification: Notification, secret: Secret, expires_at: datetime
) -> RenderJob:
    """What a message is made of, with a password in it: for one try, and never for later."""
    job = describe(session, notification)
    return replace(
        job,
        params={**job.params, "password": secret.reveal(), "expires_at": expires_at},
        # Each try is a message of its own: a mailbox keeps one of those that bear the same key.
        message_key=f"{job.message_key}.{token_hex(4)}",
    )
