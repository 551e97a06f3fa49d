"""A visit: for a quarter of an hour the browser of a customer who logged in is known by a cookie.

It leads them to what comes after the log-in, and no further: the package itself is not ours. It
bears no password; the choice that it lets them make is worthless once their passwords are others.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import Request
from starlette.responses import Response

from services.activation.login.log_in import Admission, Choice
from shared.links import Expired, Invalid
from shared.web.pages import set_cookie, site_of

PURPOSE = "visit"
COOKIE = "visit"
LIFETIME = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Visit:
    """Which customer logged in, and the choice that they have yet to make, if they have."""

    onboarding_id: str
    login_name: str
    choice: Choice | None

    @classmethod
    def of(cls, admission: Admission) -> "Visit":
        """The visit of whoever was let in."""
        customer = admission.customer
        return cls(str(customer.onboarding_id), customer.login_name, admission.choice)


def keep_visit(request: Request, response: Response, visit: Visit, now: datetime) -> None:
    """Have the browser keep the visit."""
    claims = {"sub": visit.onboarding_id, "name": visit.login_name}
    if visit.choice is not None:
        claims["passwords"] = visit.choice.passwords
    site = site_of(request)
    token = site.links.signer.sign(PURPOSE, claims, now=now, until=now + LIFETIME)
    set_cookie(site, response, COOKIE, token, seconds=int(LIFETIME.total_seconds()))


def find_visit(request: Request, now: datetime) -> Visit | None:
    """The visit of whoever opens a page, if they logged in just now."""
    site = site_of(request)
    try:
        signed = site.links.signer.read(PURPOSE, request.cookies.get(site.cookie(COOKIE), ""), now)
    except (Expired, Invalid):
        return None
    onboarding_id, passwords = signed.claims["sub"], signed.claims.get("passwords")
    choice = Choice(onboarding_id, passwords) if passwords else None
    return Visit(onboarding_id, signed.claims["name"], choice)
