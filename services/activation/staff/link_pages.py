"""The one-time link: opening it shows whose it is, and only the button uses it up.

Mail programs and scanners open links by themselves; they press no buttons.
"""

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.activation.staff import links, sessions
from services.activation.staff.cookies import SESSION_COOKIE, cookie_of
from services.activation.staff.screens import TEMPLATES, address_of, enter
from services.activation.staff.sessions import Opened, StaffMember
from shared.host.requests import WriteContext
from shared.host.runtime import Runtime
from shared.links import Expired, Invalid, Purpose
from shared.web.auth import not_there
from shared.web.pages import Posted, pages_router, site_of

GONE = 410


class _Over(Exception):
    """The link signs nobody in any more; `reason` is why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def link_pages(runtime: Runtime) -> APIRouter:
    """The page of a link that signs staff in."""
    routes = pages_router()

    @routes.get("/staff/{token}")
    def show(request: Request, token: str) -> Response:
        try:
            link_id, member = _read(runtime, request, token)
            _require_unused(runtime, link_id)
        except _Over as over:
            return _over(request, over.reason)
        return TEMPLATES.page(request, "staff_link.html", member=member, path=request.url.path)

    @routes.post("/staff/{token}")
    def sign_in(request: Request, token: str, form: Posted) -> Response:
        try:
            link_id, member = _read(runtime, request, token)
            opened = _use(runtime, request, link_id, member)
        except _Over as over:
            return _over(request, over.reason)
        return enter(request, opened, "/", runtime.clock())

    return routes


def _read(runtime: Runtime, request: Request, token: str) -> tuple[str, StaffMember]:
    """The id of a link, and whom it signs in.

    Raises:
        NotFound: it is none of ours.
        _Over: it is too old.
    """
    try:
        signed = site_of(request).links.read(Purpose.STAFF, token, runtime.clock())
        return signed.claims["id"], links.member_of(signed)
    except Expired:
        raise _Over("expired") from None
    except (Invalid, KeyError):
        raise not_there() from None


def _require_unused(runtime: Runtime, link_id: str) -> None:
    with runtime.reading() as session:
        if links.is_used(session, link_id):
            raise _Over("used")


def _use(runtime: Runtime, request: Request, link_id: str, member: StaffMember) -> Opened:
    """Begin the session of whoever holds the link, which is used up with that; one transaction."""

    def begin(context: WriteContext) -> Opened:
        if not links.use(context.session, link_id, context.now):
            raise _Over("used")
        return sessions.begin(context, member, "link", cookie_of(request, SESSION_COOKIE))

    return runtime.write(begin, subject=link_id, by=member.person(address_of(request)))


def _over(request: Request, reason: str) -> Response:
    return TEMPLATES.page(request, "staff_link_over.html", status=GONE, reason=reason)
