"""Wrong passwords are counted for each login name from each address, and close that way alone.

So whoever guesses shuts out nobody but themselves: the customer comes from elsewhere. A name that
nobody has is counted and closed like any other.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv6Address, ip_address

from sqlalchemy import delete
from sqlmodel import Field, Session, col

from services.activation.models import ActivationTable
from shared.base.errors import TooManyRequests
from shared.persistence.entity import moment

WRONG_TRIES = 5
LOCK = timedelta(minutes=15)
WRONG_TRIES_FOR_LONG = 20
LONG_LOCK = timedelta(days=1)
"""After so many wrong passwords whoever guesses waits for a day, and not for minutes."""
FORGOTTEN_AFTER = timedelta(days=90)
SITE_BITS = 72
"""Of an address of version 6, those within one site: a home is given a /56 (RFC 6177), in which
whoever guesses would have 256 networks of 64 bits to come from."""


class LoginTries(ActivationTable, table=True):
    """How often a wrong password came for one login name from one address.

    The key is a digest of both: people type a password where the name belongs, too.
    """

    __tablename__ = "login_tries"

    way: str = Field(primary_key=True, max_length=64)
    wrong_tries: int = 0
    locked_until: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    last_right_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    forget_at: datetime = Field(sa_column=moment(index=True))

    def record_wrong(self, now: datetime) -> bool:
        """Count a wrong password; returns whether that has closed this way."""
        self.wrong_tries += 1
        self.forget_at = now + FORGOTTEN_AFTER
        if self.wrong_tries % WRONG_TRIES:
            return False
        long = self.wrong_tries >= WRONG_TRIES_FOR_LONG
        self.locked_until = now + (LONG_LOCK if long else LOCK)
        return True

    def record_right(self, now: datetime) -> None:
        """The customer came this way: forgive what was typed wrong."""
        self.wrong_tries, self.locked_until = 0, None
        self.last_right_at, self.forget_at = now, now + FORGOTTEN_AFTER


def way_of(login_name: str, address: str) -> str:
    """The key under which tries for this name from this address are counted."""
    return sha256(f"{login_name}\n{network_of(address)}".encode()).hexdigest()


def network_of(address: str) -> str:
    """What one person has of addresses: a single one of version 4, a whole site of version 6."""
    try:
        number = ip_address(address)
    except ValueError:
        return address
    if isinstance(number, IPv6Address):
        mapped = number.ipv4_mapped
        return str(mapped) if mapped else str(IPv6Address(int(number) >> SITE_BITS << SITE_BITS))
    return address


def tries_to_change(session: Session, way: str, now: datetime) -> LoginTries:
    """The count of this way, locked until the transaction ends; a new one where there is none."""
    tries = session.get(LoginTries, way, with_for_update=True)
    if tries is None:
        session.execute(delete(LoginTries).where(col(LoginTries.forget_at) < now))
        tries = LoginTries(way=way, forget_at=now + FORGOTTEN_AFTER)
        session.add(tries)
    return tries


def require_open(tries: LoginTries | None, now: datetime) -> None:
    """Refuse whoever comes by a closed way.

    Raises:
        TooManyRequests: it is closed; it says for how many seconds.
    """
    if tries is not None and tries.locked_until is not None and now < tries.locked_until:
        raise too_many((tries.locked_until - now).total_seconds())


def too_many(seconds: float) -> TooManyRequests:
    """The one answer to too many tries, of whichever kind."""
    sentence = "Te veel pogingen; probeer het later opnieuw."
    return TooManyRequests("locked", sentence, extra={"retry_after": int(seconds) + 1})
