"""INLOGGEN: letting a customer in, and the forced change at first log-in.

Passwords are compared outside the inbox: whatever carries one is never stored.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar
from uuid import UUID

import structlog

from services.activation.login import passwords
from services.activation.login.entry import (
    Entry,
    PasswordsReplaced,
    Verdict,
    activation_to_change,
    compare,
    hashes_of,
    login_failed,
)
from services.activation.login.limits import Limits
from services.activation.login.passwords import Hashes, Kind, Match
from services.activation.login.strength import objection
from services.activation.login.tries import require_open, tries_to_change
from services.activation.mails import login_locked, password_changed
from services.activation.models import Activation
from shared.base.errors import FieldError, Forbidden, Invalid, Unauthorized, Unavailable
from shared.base.words import Words
from shared.events import CustomerLoggedIn
from shared.host.requests import WriteContext
from shared.host.runtime import Runtime

log = structlog.get_logger()

COMPARISONS = 3
"""How often a password is compared when others replace what it is compared with."""

SAME = Words(
    "Kies een ander wachtwoord dan het huidige.", "Choose another password than the present one."
)

T = TypeVar("T")


@dataclass(frozen=True)
class LoggedIn:
    """Who has given the right password, and whether they must choose another."""

    onboarding_id: UUID
    login_name: str
    company: str
    must_change_password: bool


@dataclass(frozen=True)
class Choice:
    """That a customer was let in and may choose a password, as long as these are still theirs."""

    onboarding_id: str
    passwords: str
    """A digest of what was kept of their passwords: another password, and it is worthless."""

    @classmethod
    def of(cls, onboarding_id: str, hashes: Hashes) -> "Choice":
        """The choice of a customer with these passwords."""
        return cls(onboarding_id, sha256(repr(hashes).encode()).hexdigest())


@dataclass(frozen=True)
class Admission:
    """A customer who was let in, and the choice that they must make, if they must."""

    customer: LoggedIn
    choice: Choice | None


def log_in(runtime: Runtime, entry: Entry, limits: Limits) -> LoggedIn:
    """Let a customer in; raises what `admit` does."""
    return admit(runtime, entry, limits).customer


def admit(runtime: Runtime, entry: Entry, limits: Limits) -> Admission:
    """Let a customer in.

    Raises:
        Unauthorized: name and password do not go together; unknown names look the same.
        Forbidden: the release was taken back.
        TooManyRequests: locked after too many wrong tries.
        Unavailable: their password was replaced again and again meanwhile.
    """
    return _again_when_replaced(lambda: _log_in(runtime, compare(runtime, entry, limits)))


def change_password(
    runtime: Runtime, entry: Entry, new: str, limits: Limits, language: str = "nl"
) -> None:
    """Give a customer a password of their own; the one-time one is gone.

    Raises:
        Unauthorized, Forbidden, TooManyRequests, Unavailable: as `admit`.
        Invalid: the new password will not do; the sentence says why, in this language.
    """
    _again_when_replaced(lambda: _change(runtime, compare(runtime, entry, limits), new, language))


def choose_password(
    runtime: Runtime, choice: Choice, new: str, address: str, language: str = "nl"
) -> None:
    """Give a customer who was let in just now a password of their own.

    Raises:
        Unauthorized: their passwords are others by now, or have expired.
        Forbidden, TooManyRequests, Invalid: as `change_password`.
    """
    with runtime.reading() as session:
        activation = session.get(Activation, choice.onboarding_id)
    hashes = hashes_of(activation, runtime.clock())
    if activation is None or Choice.of(activation.onboarding_id, hashes) != choice:
        raise _log_in_again()
    if passwords.compare(hashes, new) is not None:
        raise _weak(SAME, language)
    entry = Entry.of(activation.login_name or "", "", address)
    verdict = Verdict(entry, activation, hashes, Match(Kind.ONE_TIME))
    try:
        _change(runtime, verdict, new, language)
    except PasswordsReplaced:
        raise _log_in_again() from None


def _again_when_replaced(attempt: Callable[[], T]) -> T:
    for _ in range(COMPARISONS):
        try:
            return attempt()
        except PasswordsReplaced:
            continue
    raise Unavailable("try_later", "Het wachtwoord is zojuist vervangen; probeer het opnieuw.")


def _log_in(runtime: Runtime, verdict: Verdict) -> Admission:
    def let_in(context: WriteContext, activation: Activation) -> None:
        if verdict.match and verdict.match.kind is Kind.OWN:
            activation.void()  # Whoever knows their own needs no other that was asked for.
        if activation.record_login(context.now):
            name = activation.login_name or verdict.entry.name
            event = CustomerLoggedIn(login_name=name, first_login_at=context.now)
            context.publish(activation.onboarding_id, event)

    activation = _conclude(runtime, verdict, let_in)
    log.info("login_right", onboarding_id=activation.onboarding_id)
    must_change = verdict.match is None or verdict.match.kind is Kind.ONE_TIME
    customer = LoggedIn(
        onboarding_id=UUID(activation.onboarding_id),
        login_name=activation.login_name or verdict.entry.name,
        company=activation.company or "",
        must_change_password=must_change,
    )
    choice = Choice.of(activation.onboarding_id, verdict.hashes) if must_change else None
    return Admission(customer, choice)


def _change(runtime: Runtime, verdict: Verdict, new: str, language: str) -> None:
    new_hash = ""
    if verdict.match is not None:
        _require_good_password(verdict, new, language)
        new_hash = passwords.hash_own(new)

    def choose(context: WriteContext, activation: Activation) -> None:
        activation.choose(new_hash)
        context.record("activation.change_password", activation.onboarding_id)
        context.effects.extend(password_changed(activation, context.now))

    activation = _conclude(runtime, verdict, choose)
    log.info("password_changed", onboarding_id=activation.onboarding_id)


def _conclude(
    runtime: Runtime, verdict: Verdict, do: Callable[[WriteContext, Activation], None]
) -> Activation:
    """Do what the customer came for, or count one more wrong password; in one transaction."""

    def work(context: WriteContext) -> tuple[Activation | None, bool]:
        activation = activation_to_change(context.session, verdict, context.now)
        tries = tries_to_change(context.session, verdict.entry.way, context.now)
        require_open(tries, context.now)
        if activation is None or verdict.match is None:
            locked = tries.record_wrong(context.now)
            if locked and activation is not None:
                context.effects.extend(login_locked(activation, context.now))
            return None, locked
        _require_not_suspended(activation)
        tries.record_right(context.now)
        if verdict.match.rehashed is not None:
            activation.own_hash = verdict.match.rehashed
        do(context, activation)
        return activation, False

    activation, locked = runtime.write(work, subject=verdict.subject, by=verdict.person)
    if activation is None:
        log.warning("login_wrong", onboarding_id=verdict.onboarding_id, locked=locked)
        raise login_failed()
    return activation


def _require_not_suspended(activation: Activation) -> None:
    if activation.suspended:
        raise Forbidden("suspended", "De toegang is opgeschort; neem contact op met uw kantoor.")


def _require_good_password(verdict: Verdict, new: str, language: str) -> None:
    company = (verdict.activation and verdict.activation.company) or ""
    form = passwords.own_form(new)
    words = objection(new, (verdict.entry.name, *company.split()))
    current = passwords.normal_form(verdict.entry.password)
    if form is not None and current and passwords.normal_form(form) == current:
        words = SAME
    if words is not None:
        raise _weak(words, language)


def _weak(words: Words, language: str) -> Invalid:
    sentence = words.in_(language)
    error = FieldError(field="new_password", code="password_weak", message=sentence)
    return Invalid("password_weak", sentence, errors=[error])


def _log_in_again() -> Unauthorized:
    return Unauthorized("log_in_again", "Log opnieuw in om een wachtwoord te kiezen.")
