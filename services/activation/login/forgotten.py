"""A forgotten password: a fresh one-time password, to the address that is known.

Anybody may say that they forgot one, so nobody is told whether there is such a customer, and what
the customer has stays good, be it their own or what came with their credentials. The password is
made while it is sent, as credentials are.
"""

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from sqlmodel import Session, col, select

from services.activation.login import passwords
from services.activation.login.entry import select_by_name
from services.activation.login.limits import Limits
from services.activation.login.messages import with_secret
from services.activation.login.tries import network_of
from services.activation.mails import password_forgotten
from services.activation.models import Activation
from shared.base.errors import TooManyRequests
from shared.host.requests import WriteContext
from shared.host.runtime import Runtime
from shared.notifications.kinds import NotificationKind
from shared.notifications.senders.outgoing import OutgoingMessage
from shared.notifications.tables import Notification
from shared.processing import Now, Person

if TYPE_CHECKING:
    from shared.notifications.rendering.renderer import Renderer

log = structlog.get_logger()

GOOD_FOR = timedelta(hours=24)
"""NIST SP 800-63B-4, section 4.2: a recovery code that is mailed is good for a day."""


def forget_password(runtime: Runtime, login_name: str, address: str, limits: Limits) -> None:
    """Send a fresh one-time password to a customer who may have one; nobody is told whether.

    Raises:
        InfrastructureDown: the database is away; nothing is sent.
    """
    name = login_name.strip().lower()
    try:
        limits.forgotten.take(network_of(address))
    except TooManyRequests:
        with suppress(TooManyRequests):
            limits.lines.take("forgotten")
            log.warning("password_forgotten_too_often")
        return
    with runtime.reading() as session:
        activation = session.exec(select_by_name(name)).one_or_none()
    if activation is None:
        log.info("password_forgotten", onboarding_id=None, sent=False)
        return

    def order(context: WriteContext) -> bool:
        customer = context.session.exec(select_by_name(name).with_for_update()).one_or_none()
        if customer is None or not customer.forget(context.now):
            return False
        context.record("activation.forget_password", customer.onboarding_id)
        context.effects.extend(password_forgotten(customer))
        return True

    person = Person(name, activation.office_code, address)
    is_sent = runtime.write(order, subject=activation.onboarding_id, by=person)
    log.info("password_forgotten", onboarding_id=activation.onboarding_id, sent=is_sent)


def forgotten_kind() -> NotificationKind:
    """How the mail with a fresh password is made."""
    return NotificationKind(compose=_compose)


def _compose(
    session: Session, notification: Notification, renderer: "Renderer", now: Now
) -> OutgoingMessage | None:
    activation = _still_wanted(session, notification)
    if activation is None:
        return None
    secret, expires_at = passwords.generate(), now + GOOD_FOR
    activation.equip_beside(passwords.hash_one_time(secret), expires_at)
    return renderer.render(with_secret(session, notification, secret, expires_at), now)


def _still_wanted(session: Session, notification: Notification) -> Activation | None:
    """The customer, locked; None when staff have sent another since, or the address has changed."""
    by_id = col(Activation.onboarding_id) == notification.onboarding_id
    activation = session.exec(select(Activation).where(by_id).with_for_update()).one_or_none()
    if activation is None or not activation.may_forget:
        return None
    is_latest = activation.attempt == notification.params.get("attempt")
    return activation if is_latest and activation.email == notification.recipient else None
