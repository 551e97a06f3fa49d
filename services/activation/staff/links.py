"""One-time links that sign staff in: what they say, and which of them were used."""

from collections.abc import Mapping
from datetime import datetime
from uuid import uuid4

from sqlalchemy import delete
from sqlmodel import Field, Session, col

from services.activation.models import ActivationTable
from services.activation.staff.sessions import StaffMember
from shared.links import LIFETIMES, Invalid, PageLinks, Purpose, Signed
from shared.persistence.bulk import insert_rows
from shared.persistence.entity import moment

KEPT = LIFETIMES[Purpose.STAFF]
"""After this a link is refused for its age, and need not be known as used any more."""


class StaffLink(ActivationTable, table=True):
    """A link that was used."""

    __tablename__ = "staff_link"

    id: str = Field(primary_key=True, max_length=36)
    used_at: datetime = Field(sa_column=moment(index=True))


def make(links: PageLinks, member: StaffMember, now: datetime) -> tuple[str, str]:
    """A new link for somebody, as a path, and its id for the record."""
    link_id = str(uuid4())
    claims = {"id": link_id, "name": member.name, "role": member.role}
    if member.office is not None:
        claims["office"] = member.office
    token = links.signer.sign(Purpose.STAFF, claims, now=now, until=now + LIFETIMES[Purpose.STAFF])
    return f"/{Purpose.STAFF}/{token}", link_id


def member_of(signed: Signed) -> StaffMember:
    """Whom a link signs in.

    Raises:
        Invalid: by now there is no such role, or it asks for an office, or for none.
    """
    claims: Mapping[str, str] = signed.claims
    try:
        return StaffMember.of(claims["name"], claims["role"], claims.get("office"))
    except (KeyError, ValueError) as error:
        raise Invalid(str(error)) from None


def use(session: Session, link_id: str, now: datetime) -> bool:
    """Use a link up; returns whether it was not used before."""
    session.execute(delete(StaffLink).where(col(StaffLink.used_at) < now - 2 * KEPT))
    row = {"id": link_id, "used_at": now}
    return bool(insert_rows(session, StaffLink, [row], new_only=True))


def is_used(session: Session, link_id: str) -> bool:
    """Whether a link was used."""
    return session.get(StaffLink, link_id) is not None
