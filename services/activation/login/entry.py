"""Somebody at the door: who they say they are, what is kept of that customer, how it compares.

The hash is compared outside any transaction, since that takes a processor for a while; what comes
of it is written only where the customer's passwords are still the same ones.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid5

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from services.activation.login import passwords
from services.activation.login.limits import Limits
from services.activation.login.passwords import Hashes, Match
from services.activation.login.tries import LoginTries, network_of, require_open, way_of
from services.activation.models import Activation
from shared.base.errors import StappenplanError, Unauthorized
from shared.events.envelope import NAMESPACE
from shared.host.runtime import Runtime
from shared.processing import Person

NOBODY = str(uuid5(NAMESPACE, "nobody"))


@dataclass(frozen=True)
class Entry:
    """A login name and a password, and the address from which they came."""

    name: str
    password: str = field(repr=False)
    address: str = ""

    @classmethod
    def of(cls, login_name: str, password: str, address: str = "") -> "Entry":
        """What was typed; case and blanks around a login name do not matter."""
        return cls(login_name.strip().lower(), password, address)

    @property
    def way(self) -> str:
        """Under what its wrong tries are counted."""
        return way_of(self.name, self.address)


@dataclass(frozen=True)
class Verdict:
    """How the password compared with what was kept of this customer at that moment."""

    entry: Entry
    activation: Activation | None
    hashes: Hashes
    match: Match | None

    @property
    def onboarding_id(self) -> str | None:
        """The customer by that name, whether or not it was they who came."""
        return None if self.activation is None else self.activation.onboarding_id

    @property
    def subject(self) -> str:
        """About whom the transaction is that follows."""
        return self.onboarding_id or NOBODY

    @property
    def person(self) -> Person:
        """Who asks, for the record of acts."""
        if self.activation is None or self.activation.login_name is None:
            return Person("customer", None, self.entry.address)
        name, office = self.activation.login_name, self.activation.office_code
        return Person(name, office, self.entry.address)


def compare(runtime: Runtime, entry: Entry, limits: Limits) -> Verdict:
    """Compare the password, unless there were too many wrong ones.

    Raises:
        TooManyRequests: this way is closed, or too much is tried from this address or by this name.
    """
    now = runtime.clock()
    network = network_of(entry.address)
    limits.addresses.take(network)
    with runtime.reading() as session:
        activation = session.exec(select_by_name(entry.name)).one_or_none()
        tries = session.get(LoginTries, entry.way)
    require_open(tries, now)
    is_strange = tries is None or tries.last_right_at is None
    if is_strange:
        limits.names.take(entry.name)
    hashes = hashes_of(activation, now)
    match = passwords.compare(hashes, entry.password)
    if match is not None:
        limits.addresses.give_back(network)
        if is_strange:
            limits.names.give_back(entry.name)
    return Verdict(entry, activation, hashes, match)


def select_by_name(login_name: str) -> SelectOfScalar[Activation]:
    """The customer by this login name."""
    return select(Activation).where(col(Activation.login_name) == login_name)


def hashes_of(activation: Activation | None, now: datetime) -> Hashes:
    """What is kept of the passwords that would let this customer in now."""
    if activation is None:
        return Hashes()
    one_time = activation.one_time_hash if activation.one_time_is_good(now) else None
    recovery = activation.recovery_hash if activation.recovery_is_good(now) else None
    return Hashes(activation.own_hash, one_time, recovery)


def activation_to_change(session: Session, verdict: Verdict, now: datetime) -> Activation | None:
    """The customer's row, locked, where their passwords are those that were compared.

    Raises:
        PasswordsReplaced: they are others by now: the comparison says nothing any more.
    """
    statement = select_by_name(verdict.entry.name).with_for_update()
    activation = session.exec(statement).one_or_none()
    if hashes_of(activation, now) != verdict.hashes:
        raise PasswordsReplaced
    return activation


class PasswordsReplaced(StappenplanError):
    """The passwords were replaced while one was compared: compare it once more."""


def login_failed() -> Unauthorized:
    """The one answer to a name and a password that do not go together."""
    return Unauthorized(
        "login_failed", "Loginnaam of wachtwoord klopt niet, of het wachtwoord is verlopen."
    )
