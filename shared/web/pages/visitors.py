"""Who opens a page: staff who are signed in, with what their role may do."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from shared.base.errors import Forbidden, Unauthorized
from shared.links import Expired, Invalid
from shared.web.auth import Caller
from shared.web.pages.site import Site, site_of
from shared.web.passes import Staff, read_pass
from shared.web.scopes import allows, refused_to_offices

PASS_COOKIE = "pass"  # noqa: S105 - the name of a cookie, no secret.
SEEN_COOKIE = "seen"
"""When somebody who is signed in last did something, in seconds since 1970, by any service.

An open page renews its pass by itself, which says nothing of a person before it. Whoever makes
this up only stays signed in as if they had been here, up to the session's own end.
"""


class SignInNeeded(Unauthorized):
    """Nobody is signed in, or their pass must be renewed."""

    def __init__(self) -> None:
        super().__init__("sign_in_needed", "Sign in to see this page.")


def find_staff(request: Request) -> Staff | None:
    """Who is signed in, if anybody is with a pass that still holds; it may ask the database."""
    site, staff = site_of(request), _holder_of_pass(request)
    if staff is None:
        return None
    if site.session_is_open is not None and not site.session_is_open(staff.session_id):
        return None
    request.state.staff = staff
    return staff


def visitor_of(request: Request) -> str:
    """Whose request it is, as far as it tells by itself: a session's, a link's, an address's."""
    staff = _holder_of_pass(request)
    address = request.client.host if request.client else ""
    return staff.session_id if staff else str(request.path_params.get("token", address))


def _holder_of_pass(request: Request) -> Staff | None:
    """Whose pass came with the request, whether or not they have signed out since."""
    site = site_of(request)
    token = request.cookies.get(site.cookie(PASS_COOKIE))
    try:
        return read_pass(site.links.signer, token, site.clock()) if token else None
    except (Expired, Invalid, KeyError, ValueError):
        return None


def signed_in(request: Request) -> Staff | None:
    """Who was found to be signed in when this request came; None while nobody has looked."""
    return getattr(request.state, "staff", None)


async def require_staff(request: Request) -> Staff:
    """Who is signed in.

    Raises:
        SignInNeeded: nobody is, or their pass must be renewed.
    """
    staff = await run_in_threadpool(find_staff, request)
    if staff is None:
        raise SignInNeeded
    return staff


def note_visit(request: Request, response: Response) -> None:
    """Have the browser keep when somebody who is signed in did something, not their page alone."""
    by_itself = request.method == "GET" and request.headers.get("hx-request") == "true"
    if signed_in(request) is not None and not by_itself:
        site = site_of(request)
        set_cookie(site, response, SEEN_COOKIE, str(int(site.clock().timestamp())))


def set_cookie(
    site: Site, response: Response, name: str, value: str, *, seconds: int | None = None
) -> None:
    """Set one of our cookies: no script reads it, no other site's form brings it along."""
    response.set_cookie(
        site.cookie(name),
        value,
        max_age=seconds,
        httponly=True,
        samesite="lax",
        secure=site.is_secure,
    )


def staff_with(scope: str) -> Callable[[Request], Awaitable[Caller]]:
    """A dependency that gives the person who is signed in, whose role must have this scope."""

    async def require(request: Request) -> Caller:
        staff = await require_staff(request)
        caller = staff.caller(request.client.host if request.client else "")
        may = allows(caller.scopes, scope)
        if not may or (caller.office is not None and refused_to_offices([scope])):
            raise Forbidden("role_missing", "Your role does not allow this.")
        return caller

    return require


async def _anybody(request: Request) -> Caller:
    staff = await require_staff(request)
    return staff.caller(request.client.host if request.client else "")


AnyStaff = Annotated[Caller, Depends(_anybody)]
"""Whoever is signed in, in whatever role."""
