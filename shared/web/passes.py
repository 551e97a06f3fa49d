"""The pass of whoever is signed in: five minutes for which every service believes it by itself.

The session behind it is a row in activation's database, which alone renews a pass; so a log-out
ends every pass within five minutes, and activation's own pages at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.links import Signer
from shared.web.auth import Caller
from shared.web.scopes import STAFF_ROLES

PASS_MINUTES = 5
PURPOSE = "pass"


@dataclass(frozen=True, slots=True)
class Staff:
    """Somebody who is signed in: in which role, for which office (None: for all)."""

    session_id: str
    name: str
    role: str
    office: str | None

    def __post_init__(self) -> None:
        if (self.office is None) is not STAFF_ROLES[self.role].all_offices:
            raise ValueError("a role is for one office or for all, as the table of roles says")

    def caller(self, address: str = "") -> Caller:
        """What they may do, as a token would say it."""
        return Caller(self.name, STAFF_ROLES[self.role].scopes, self.office, address)


def issue_pass(signer: Signer, staff: Staff, now: datetime) -> str:
    """A pass for the next minutes."""
    claims = {"sid": staff.session_id, "name": staff.name, "role": staff.role}
    if staff.office is not None:
        claims["office"] = staff.office
    until = now + timedelta(minutes=PASS_MINUTES)
    return signer.sign(PURPOSE, claims, now=now, until=until)


def read_pass(signer: Signer, token: str, now: datetime) -> Staff:
    """Whose pass it is.

    Raises:
        Invalid: it was not issued here, or for a role that is no more.
        Expired: it must be renewed.
    """
    claims = signer.read(PURPOSE, token, now).claims
    return Staff(claims["sid"], claims["name"], claims["role"], claims.get("office"))
