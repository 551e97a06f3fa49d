"""Sign-ins that are under way at the provider: what we sent along, and from which browser.

They are kept here and not in a cookie: each is taken once, whoever comes with it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe

from sqlalchemy import delete
from sqlmodel import Field, Session, col

from services.activation.models import ActivationTable
from services.activation.staff.sessions import digest
from shared.persistence.entity import moment

LIFETIME = timedelta(minutes=10)


class StaffAttempt(ActivationTable, table=True):
    """One sign-in that has begun. The key is a digest of what comes back as `state`."""

    __tablename__ = "staff_attempt"

    state_hash: str = Field(primary_key=True, max_length=64)
    browser_hash: str = Field(max_length=64)
    nonce: str = Field(max_length=64)
    verifier: str = Field(max_length=128)
    next_path: str = Field(max_length=2000)
    ends_at: datetime = Field(sa_column=moment(index=True))


@dataclass(frozen=True)
class Attempt:
    """What goes with one sign-in: `state` comes back, `browser` is kept by who began it alone."""

    state: str
    browser: str
    nonce: str
    verifier: str
    next_path: str

    @classmethod
    def new(cls, next_path: str) -> "Attempt":
        """A fresh one; `verifier` is that of PKCE (RFC 7636)."""
        return cls(
            token_urlsafe(32), token_urlsafe(32), token_urlsafe(32), token_urlsafe(64), next_path
        )


def keep(session: Session, attempt: Attempt, now: datetime) -> None:
    """Keep it until its holder comes back, for some minutes."""
    session.execute(delete(StaffAttempt).where(col(StaffAttempt.ends_at) < now))
    session.add(
        StaffAttempt(
            state_hash=digest(attempt.state),
            browser_hash=digest(attempt.browser),
            nonce=attempt.nonce,
            verifier=attempt.verifier,
            next_path=attempt.next_path,
            ends_at=now + LIFETIME,
        )
    )


def take(session: Session, state: str, browser: str, now: datetime) -> Attempt | None:
    """The sign-in that this browser began under this state, which is over with that.

    None where there is none, where it took too long, or where another browser began it.
    """
    row = session.get(StaffAttempt, digest(state), with_for_update=True)
    if row is None or row.browser_hash != digest(browser):
        return None
    session.delete(row)
    if now >= row.ends_at:
        return None
    return Attempt(state, browser, row.nonce, row.verifier, row.next_path)
