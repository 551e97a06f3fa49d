"""The notifications of this step: what they are told, and to whom."""

from datetime import datetime
from typing import Any

from services.activation.models import Activation
from shared.events import CustomerContactChanged, SignupAccepted
from shared.notifications.messages import Mail, Text

CREDENTIALS = "credentials"
FORGOTTEN = "password_forgotten"


def customer_released(activation: Activation, signup: SignupAccepted, base_url: str) -> Mail:
    """Tells the office that it may activate a customer."""
    params = {
        "reference": signup.reference,
        "company": signup.customer.company,
        "order_reference": activation.order_reference,
        "link": f"{base_url}/onboardings/{activation.onboarding_id}",
    }
    return Mail("customer_released", signup.office.email, signup.office.language, params)


def credentials(
    activation: Activation, signup: SignupAccepted, channel: str, to: str, attempt: int
) -> Mail:
    """Brings the customer login name and password; the password is made while it is sent."""
    params = {"attempt": attempt, "login_name": activation.login_name} | _greeting(signup)
    kind = Text if channel == "sms" else Mail
    return kind(CREDENTIALS, to, signup.customer.language, params)


def credentials_expiring(activation: Activation, signup: SignupAccepted) -> Mail:
    """Nudges a customer whose one-time password ends soon."""
    expires_at = activation.expires_at and activation.expires_at.isoformat()
    params = _greeting(signup) | {"expires_at": expires_at}
    return Mail("credentials_expiring", activation.email or "", signup.customer.language, params)


def credentials_undeliverable(signup: SignupAccepted, channel: str) -> Mail:
    """Tells the office that credentials did not arrive."""
    params = {
        "reference": signup.reference,
        "company": signup.customer.company,
        "channel": channel,
    }
    office = signup.office
    return Mail("credentials_undeliverable", office.email, office.language, params)


def password_changed(activation: Activation, now: datetime) -> list[Mail]:
    """Tells a customer that their password was changed, in case it was not they."""
    return _warning("password_changed", activation, now)


def login_locked(activation: Activation, now: datetime) -> list[Mail]:
    """Tells a customer that somebody guessed at their password; once until they log in again."""
    if activation.lock_told_at is not None or not activation.can_log_in(now):
        return []
    activation.lock_told_at = now
    return _warning("login_locked", activation, now)


def contact_changed(signup: SignupAccepted, to: str, changed: CustomerContactChanged) -> Mail:
    """Tells the customer, where they were reached until now, that they are reached elsewhere.

    The new address or number is not in it: the old mailbox may be somebody else's by now.
    """
    params = _greeting(signup) | {
        "email_changed": changed.email is not None,
        "mobile_changed": changed.mobile is not None,
    }
    return Mail("contact_changed", to, signup.customer.language, params)


def password_forgotten(activation: Activation) -> list[Mail]:
    """Brings a customer a fresh one-time password, which is made while it is sent."""
    signup = activation.signup
    if signup is None or activation.email is None:
        return []
    params = {"attempt": activation.attempt, "login_name": activation.login_name}
    params |= _greeting(signup)
    about = activation.onboarding_id
    return [Mail(FORGOTTEN, activation.email, signup.customer.language, params, about=about)]


def _warning(kind: str, activation: Activation, now: datetime) -> list[Mail]:
    signup = activation.signup
    if signup is None or activation.email is None:
        return []
    params = _greeting(signup) | {"login_name": activation.login_name, "at": now.isoformat()}
    about = activation.onboarding_id
    return [Mail(kind, activation.email, signup.customer.language, params, about=about)]


def _greeting(signup: SignupAccepted) -> dict[str, Any]:
    return {
        "reference": signup.reference,
        "contact": signup.customer.contact.full_name,
        "office": signup.office.name,
        "office_email": signup.office.email,
    }
