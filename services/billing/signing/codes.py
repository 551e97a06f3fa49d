"""The code that proves who signs: mailed to the payer's own address, and never kept in clear.

It is made while it is sent, as credentials are: generate, keep its fingerprint, commit, send. The
fingerprint is keyed, since six digits are soon tried without a key.
"""

import hmac
import secrets
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from services.billing.mails import SIGNING_CODE
from services.billing.models import OnlineSigning, Order
from shared.host.settings import Settings
from shared.notifications.kinds import NotificationKind, describe
from shared.notifications.senders.outgoing import OutgoingMessage
from shared.notifications.tables import Notification
from shared.processing import Now

if TYPE_CHECKING:
    from shared.notifications.rendering.renderer import Renderer

DIGITS = 6


def new_code() -> str:
    """Six digits that nobody can foresee."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"


def code_of(text: str | None) -> str | None:
    """The code that somebody typed or pasted, blanks and hyphens left out; None when it is none."""
    digits = "".join(sign for sign in text or "" if sign not in " -\N{NO-BREAK SPACE}")
    return digits if len(digits) == DIGITS and digits.isascii() and digits.isdigit() else None


def fingerprint_of(code: str, signing_id: str, settings: Settings) -> str:
    """What is kept of a code: of no use without our key, nor for another signature."""
    text = f"signing code/{signing_id}/{code}"
    return hmac.digest(settings.sealing_key().encode(), text.encode(), "sha256").hex()


def payer_kinds(settings: Settings) -> dict[str, NotificationKind]:
    """How the payer's mail is made that holds what is kept nowhere: a code."""
    return {SIGNING_CODE: NotificationKind(compose=partial(_compose_code, settings))}


def _compose_code(
    settings: Settings, session: Session, notification: Notification, renderer: "Renderer", now: Now
) -> OutgoingMessage | None:
    signing = _still_wanted(session, notification)
    if signing is None:
        return None
    code = new_code()
    signing.equip(fingerprint_of(code, signing.id, settings), now)
    session.add(signing)
    secret = {"code": code, "name": signing.name, "expires_at": signing.code_expires_at}
    # Each try is a message of its own: a mailbox keeps one of those that bear the same key.
    key = f"{notification.id}.{secrets.token_hex(4)}"
    job = describe(session, notification)
    params = {**notification.params, **secret}
    return renderer.render(replace(job, params=params, message_key=key), now)


def _still_wanted(session: Session, notification: Notification) -> OnlineSigning | None:
    """The signature that the code is for, locked; None when it is done, void, or withdrawn."""
    by_id = col(OnlineSigning.id) == notification.params["signing_id"]
    signing = session.exec(select(OnlineSigning).where(by_id).with_for_update()).one_or_none()
    if signing is None or not signing.open:
        return None
    is_latest = (signing.codes, signing.sent_to) == (
        notification.params["number"],
        notification.recipient,
    )
    order = session.get(Order, signing.onboarding_id)
    return signing if is_latest and order is not None and not order.withdrawn else None
