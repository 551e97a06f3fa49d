"""The notifications of this step: what they are told, and to whom."""

from datetime import datetime
from typing import Any

from services.activation.models import Activation
from shared.events import CustomerContactChanged, SignupAccepted
from shared.notifications.messages import Mail, Text
from shared.notifications.offices import office_params, reply_to

CREDENTIALS = "credentials"
FORGOTTEN = "password_forgotten"


def customer_released(activation: Activation, signup: SignupAccepted) -> Mail:
    """Tells the office that it may activate a customer."""
    params = {
        "order_reference": activation.order_reference,
        "administration_number": activation.administration_number,
        "channel": signup.preferred_channel,
    }
    return _to_office("customer_released", signup, params)


def credentials(
    activation: Activation, signup: SignupAccepted, channel: str, to: str, attempt: int
) -> Mail:
    """Brings the customer login name and password; the password is made while it is sent."""
    params = {"attempt": attempt, "login_name": activation.login_name} | _customer_params(signup)
    kind = Text if channel == "sms" else Mail
    answers = reply_to(signup.office) if kind is Mail else None
    return kind(CREDENTIALS, to, signup.customer.language, params, reply_to=answers)


def credentials_expiring(activation: Activation, signup: SignupAccepted) -> Mail:
    """Nudges a customer whose one-time password ends soon."""
    expires_at = activation.expires_at and activation.expires_at.isoformat()
    params = {"expires_at": expires_at, "login_name": activation.login_name}
    return _to_customer("credentials_expiring", signup, activation.email or "", params)


def credentials_expired(activation: Activation, signup: SignupAccepted) -> Mail:
    """Tells the office that a customer never used the password that they were sent."""
    return _to_office("credentials_expired", signup, {"login_name": activation.login_name})


def credentials_undeliverable(signup: SignupAccepted, channel: str) -> Mail:
    """Tells the office that credentials did not arrive."""
    return _to_office("credentials_undeliverable", signup, {"channel": channel})


def access_suspended(activation: Activation, signup: SignupAccepted) -> Mail:
    """Tells a customer why they cannot log in any more; what money did, their payer is told."""
    return _to_customer("access_suspended", signup, activation.email or "", {})


def access_restored(activation: Activation, signup: SignupAccepted, now: datetime) -> Mail:
    """Tells a customer who was suspended that they may log in again, if they still can."""
    params = {"login_name": activation.login_name, "can_log_in": activation.can_log_in(now)}
    return _to_customer("access_restored", signup, activation.email or "", params)


def password_changed(activation: Activation, now: datetime) -> list[Mail]:
    """Tells a customer that their password was changed, in case it was not they."""
    return _warning("password_changed", activation, now)


def login_locked(activation: Activation, now: datetime) -> list[Mail]:
    """Tells a customer that somebody guessed at their password; once until they log in again."""
    if activation.lock_told_at is not None or not activation.can_log_in(now):
        return []
    activation.lock_told_at = now
    return _warning("login_locked", activation, now)


def contact_changed(
    signup: SignupAccepted, former: str, changed: CustomerContactChanged
) -> list[Mail]:
    """Tells the customer, where they were reached until now, that they are reached elsewhere.

    The new address or number is not in it, nor any link to their pages: the old mailbox may be
    somebody else's by now. A new address gets a link of its own, since those of before are void.
    """
    params = {
        "email_changed": changed.email is not None,
        "mobile_changed": changed.mobile is not None,
    }
    mails = [_to_customer("contact_changed", signup, former, params)]
    if changed.email is not None:
        mails.append(_to_customer("contact_confirmed", signup, changed.email, {}))
    return mails


def page_link(activation: Activation) -> list[Mail]:
    """Brings the customer a fresh link to their page."""
    signup = activation.signup
    if signup is None or activation.email is None:
        return []
    return [_to_customer("page_link", signup, activation.email, {})]


def password_forgotten(activation: Activation) -> list[Mail]:
    """Brings a customer a fresh one-time password, which is made while it is sent."""
    signup = activation.signup
    if signup is None or activation.email is None:
        return []
    params = {"attempt": activation.attempt, "login_name": activation.login_name}
    about = activation.onboarding_id
    return [_to_customer(FORGOTTEN, signup, activation.email, params, about=about)]


def _warning(kind: str, activation: Activation, now: datetime) -> list[Mail]:
    signup = activation.signup
    if signup is None or activation.email is None:
        return []
    params = {"login_name": activation.login_name, "at": now.isoformat()}
    return [_to_customer(kind, signup, activation.email, params, about=activation.onboarding_id)]


def _to_customer(
    kind: str, signup: SignupAccepted, to: str, params: dict[str, Any], about: str | None = None
) -> Mail:
    language, answers = signup.customer.language, reply_to(signup.office)
    return Mail(
        kind, to, language, _customer_params(signup) | params, about=about, reply_to=answers
    )


def _to_office(kind: str, signup: SignupAccepted, params: dict[str, Any]) -> Mail:
    office = signup.office
    return Mail(kind, office.email, office.language, _customer_params(signup) | params)


def _customer_params(signup: SignupAccepted) -> dict[str, Any]:
    return {
        "reference": signup.reference,
        "company": signup.customer.company,
        "contact": signup.customer.contact.full_name,
        **office_params(signup.office),
    }
