"""Sessions of staff: from a sign-in until a sign-out, an hour without anybody, or twelve hours.

What a browser keeps of a session is a secret of which only a digest is stored; in the pass, and in
the record of acts, it goes by its id, which lets nobody in.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from uuid import uuid4

from sqlalchemy import delete
from sqlmodel import Field, Session, col, select

from services.activation.models import ActivationTable
from shared.base.text import NotPlainText, normal
from shared.host.requests import WriteContext
from shared.persistence.entity import moment
from shared.processing import Person
from shared.web.auth import MAX_NAME_CHARACTERS, is_office
from shared.web.passes import Staff
from shared.web.scopes import STAFF_ROLES

LONGEST = timedelta(hours=12)
IDLE = timedelta(minutes=60)
SEEN_EVERY = timedelta(minutes=1)
"""So much later somebody is written down as seen again: each page need not write a row."""


class StaffSession(ActivationTable, table=True):
    """One session: who it is, in which role, for which office (None: for all)."""

    __tablename__ = "staff_session"

    id: str = Field(primary_key=True, max_length=36)
    secret_hash: str = Field(max_length=64, unique=True)
    name: str = Field(max_length=100)
    role: str = Field(max_length=16)
    office: str | None = Field(default=None, max_length=35)
    started_at: datetime = Field(sa_column=moment())
    last_seen_at: datetime = Field(sa_column=moment())
    ends_at: datetime = Field(sa_column=moment(index=True))

    def is_open(self, now: datetime) -> bool:
        """Whether it still lets its holder in; a role that is no more lets in nobody."""
        is_known = self.role in STAFF_ROLES
        return is_known and now < min(self.ends_at, self.last_seen_at + IDLE)

    @property
    def staff(self) -> Staff:
        """Whose session it is."""
        return Staff(self.id, self.name, self.role, self.office)


@dataclass(frozen=True)
class StaffMember:
    """Who signs in, as a link or a provider says; the role goes with the office or without one."""

    name: str
    role: str
    office: str | None

    @classmethod
    def of(cls, name: str, role: str, office: str | None) -> "StaffMember":
        """Somebody who may sign in.

        Raises:
            ValueError: there is no such role, the office is missing or too much, the name cannot
                be shown; the text says what to do.
        """
        if role not in STAFF_ROLES:
            raise ValueError(f"there is no role {role!r}: it is one of {', '.join(STAFF_ROLES)}")
        name = _as_shown(name)
        if not 1 <= len(name) <= MAX_NAME_CHARACTERS:
            raise ValueError(f"a name has 1 to {MAX_NAME_CHARACTERS} characters that can be shown")
        is_for_all = STAFF_ROLES[role].all_offices
        if is_for_all and office is not None:
            raise ValueError(f"the role {role} is for all offices: leave the office out")
        if not is_for_all and not is_office(office):
            raise ValueError(f"the role {role} is for one office: say which, by its code")
        return cls(name, role, office)

    def person(self, address: str) -> Person:
        """Who it is, for the record of acts."""
        return Person(self.name, self.office, address)


@dataclass(frozen=True)
class Opened:
    """A session that has begun: whose it is, and the secret that their browser keeps of it."""

    staff: Staff
    secret: str = field(repr=False)


def _as_shown(name: str) -> str:
    """A name in its normal form; empty where it has none, or nothing of it is seen."""
    try:
        return normal(name)
    except NotPlainText:
        return ""


def begin(context: WriteContext, member: StaffMember, way: str, replaced: str) -> Opened:
    """Begin a session under a new secret; the one whose secret it replaces is over.

    So what somebody else may have put into this browser before is of no use to them (fixation).
    `way` is how they signed in, for the record.
    """
    session, now = context.session, context.now
    session.execute(delete(StaffSession).where(col(StaffSession.ends_at) < now))
    if (before := find(session, replaced)) is not None:
        session.delete(before)
    secret = token_urlsafe(32)
    row = StaffSession(
        id=str(uuid4()),
        secret_hash=digest(secret),
        name=member.name,
        role=member.role,
        office=member.office,
        started_at=now,
        last_seen_at=now,
        ends_at=now + LONGEST,
    )
    session.add(row)
    context.record("staff.sign_in", row.id, {"role": member.role, "way": way})
    return Opened(row.staff, secret)


def end(context: WriteContext, session_id: str) -> None:
    """End a session at once; one that is over already stays so."""
    row = context.session.get(StaffSession, session_id, with_for_update=True)
    if row is not None:
        context.session.delete(row)
        context.record("staff.sign_out", session_id, {"role": row.role})


def find(session: Session, secret: str) -> StaffSession | None:
    """The session that a browser keeps the secret of, open or not."""
    if not secret:
        return None
    query = select(StaffSession).where(col(StaffSession.secret_hash) == digest(secret))
    return session.exec(query).one_or_none()


def is_open(session: Session, session_id: str, now: datetime) -> bool:
    """Whether the session of this id is open."""
    row = session.get(StaffSession, session_id)
    return row is not None and row.is_open(now)


def seen(session: Session, session_id: str, at: datetime) -> None:
    """Write down that its holder was there at this moment."""
    row = session.get(StaffSession, session_id, with_for_update=True)
    if row is not None and at > row.last_seen_at:
        row.last_seen_at = at


def digest(secret: str) -> str:
    """What is stored of a secret that is too long to be guessed."""
    return sha256(secret.encode()).hexdigest()
