"""INLOGGEN: checking passwords, locking out, and the forced change at first log-in.

Passwords are compared outside the inbox: whatever carries one is never stored.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlmodel import Session, col

from services.activation.login import passwords
from services.activation.models import Activation
from shared.base.errors import FieldError, Forbidden, Invalid, TooManyRequests, Unauthorized
from shared.events import CustomerLoggedIn
from shared.events.envelope import NAMESPACE
from shared.host.requests import WriteContext
from shared.host.runtime import Runtime
from shared.processing import Person

NOBODY = str(uuid5(NAMESPACE, "nobody"))
CUSTOMER = Person("customer")


@dataclass(frozen=True)
class LoggedIn:
    """Who has given the right password, and whether they must choose another."""

    onboarding_id: UUID
    login_name: str
    company: str
    must_change_password: bool


def log_in(runtime: Runtime, login_name: str, password: str) -> LoggedIn:
    """Let a customer in.

    Raises:
        Unauthorized: name and password do not go together; unknown names look the same.
        Forbidden: the release was taken back.
        TooManyRequests: locked after too many wrong tries.
    """
    now = runtime.clock()

    def try_password(context: WriteContext) -> Activation | None:
        activation = _find(context.session, login_name)
        right = _check(activation, password, now)
        if activation is None or not right:
            return None
        if activation.record_login(now):
            name = activation.login_name or login_name
            event = CustomerLoggedIn(login_name=name, first_login_at=now)
            context.publish(activation.onboarding_id, event)
        return activation

    activation = runtime.write(try_password, subject=NOBODY, by=CUSTOMER)
    if activation is None:
        raise _login_failed()
    return LoggedIn(
        onboarding_id=UUID(activation.onboarding_id),
        login_name=activation.login_name or login_name,
        company=activation.company or "",
        must_change_password=activation.own_hash is None,
    )


def change_password(runtime: Runtime, login_name: str, current: str, new: str) -> None:
    """Give a customer a password of their own; the one-time one is gone.

    Raises:
        Unauthorized, Forbidden, TooManyRequests: as `log_in`.
        Invalid: the new password will not do; the sentence says why.
    """
    now = runtime.clock()

    def choose(context: WriteContext) -> bool:
        activation = _find(context.session, login_name)
        right = _check(activation, current, now)
        if activation is None or not right:
            return False
        _require_good_password(activation, current, new)
        activation.choose(passwords.hash_own(new))
        return True

    if not runtime.write(choose, subject=NOBODY, by=CUSTOMER):
        raise _login_failed()


def _find(session: Session, login_name: str) -> Activation | None:
    statement = select(Activation).where(col(Activation.login_name) == login_name.strip().lower())
    return session.execute(statement.with_for_update()).scalar_one_or_none()


def _check(activation: Activation | None, password: str, now: datetime) -> bool:
    """Whether the password is right; a wrong try is counted, a locked name is not even tried."""
    if activation is None:
        # As slow as a real comparison, so that nobody learns which names exist.
        passwords.matches_own(None, password)
        return False
    if activation.locked(now) and activation.locked_until is not None:
        wait = int((activation.locked_until - now).total_seconds()) + 1
        raise TooManyRequests(
            "locked",
            "Te veel pogingen; probeer het later opnieuw.",
            extra={"retry_after": wait},
        )
    if activation.own_hash is not None:
        right = passwords.matches_own(activation.own_hash, password)
    else:
        stored = activation.one_time_hash if activation.one_time_is_good(now) else None
        right = passwords.matches_one_time(stored, password)
    if not right:
        activation.record_wrong_password(now)
    elif activation.suspended:
        raise Forbidden("suspended", "De toegang is opgeschort; neem contact op met uw kantoor.")
    return right


def _require_good_password(activation: Activation, current: str, new: str) -> None:
    context = (activation.login_name or "", *(activation.company or "").split())
    objection = passwords.objection(new, context)
    if objection is None and passwords.normal_form(new) == passwords.normal_form(current):
        objection = "Kies een ander wachtwoord dan het huidige."
    if objection is not None:
        error = FieldError(field="new_password", code="password_weak", message=objection)
        raise Invalid("password_weak", objection, errors=[error])


def _login_failed() -> Unauthorized:
    return Unauthorized(
        "login_failed", "Loginnaam of wachtwoord klopt niet, of het wachtwoord is verlopen."
    )
