"""Signing out, and the pass that an open session renews; the ways in have pages of their own."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from services.activation.staff import sessions
from services.activation.staff.cookies import (
    SESSION_COOKIE,
    clear,
    cookie_of,
    keep_pass,
    seen_at,
)
from services.activation.staff.link_pages import link_pages
from services.activation.staff.provider_pages import provider_pages
from services.activation.staff.screens import SIGN_IN, TEMPLATES, address_of
from services.activation.staff.sessions import SEEN_EVERY, StaffSession
from shared.host.requests import WriteContext
from shared.host.runtime import Runtime
from shared.processing import Person
from shared.web.pages import (
    FORM_KEY,
    PASS_COOKIE,
    SEEN_COOKIE,
    Posted,
    PostedForm,
    find_staff,
    own_path,
    pages_router,
    see_other,
)


def staff_pages(runtime: Runtime) -> APIRouter:
    """The pages by which staff sign in and out, and by which their pass is renewed."""
    routes = pages_router()
    routes.include_router(_passes(runtime))
    routes.include_router(provider_pages(runtime))
    # The last of them: what is no other page of staff is a link.
    routes.include_router(link_pages(runtime))
    return routes


def session_is_open(runtime: Runtime, session_id: str) -> bool:
    """Whether a session has not ended: what makes a log-out count at once, in this process."""
    with runtime.reading() as session:
        return sessions.is_open(session, session_id, runtime.clock())


def _passes(runtime: Runtime) -> APIRouter:
    routes = pages_router()

    @routes.get("/staff/pass")
    def renew(request: Request, next: str | None = None) -> Response:
        by_itself = request.headers.get("hx-request") == "true"
        row = _open_session(runtime, request, is_there=not by_itself)
        if by_itself and (row is None or next is None):
            # A part of a page asks: it stays as it is, and gets no whole page in its place.
            response = Response(status_code=204)
        else:
            response = see_other(own_path(next)) if row else _to_sign_in(next)
        if row is not None:
            keep_pass(request, response, row.staff, runtime.clock())
        else:
            clear(request, response, PASS_COOKIE)
        return response

    @routes.post("/staff/pass")
    def renew_for_form(request: Request, form: Posted, next: str | None = None) -> Response:
        row = _open_session(runtime, request, is_there=True)
        name = "renewal.html" if row else "staff_again.html"
        path = own_path(next)
        action = path if row else f"/staff/pass?{urlencode({'next': path})}"
        if row is not None:
            request.state.staff = row.staff
        response = TEMPLATES.page(
            request, name, action=action, fields=_fields(form), is_renewed=True
        )
        if row is not None:
            keep_pass(request, response, row.staff, runtime.clock())
        return response

    @routes.post("/staff/sign-out")
    async def sign_out(request: Request, form: Posted) -> Response:
        await run_in_threadpool(_end, runtime, request)
        response = see_other(SIGN_IN, done="signed-out")
        clear(request, response, SESSION_COOKIE, PASS_COOKIE, SEEN_COOKIE)
        return response

    return routes


def _open_session(runtime: Runtime, request: Request, *, is_there: bool) -> StaffSession | None:
    """The session of this browser, if it is open; `is_there` says that a person asks."""
    now = runtime.clock()
    with runtime.reading() as session:
        row = sessions.find(session, cookie_of(request, SESSION_COOKIE))
    if row is None:
        return None
    written = row.last_seen_at
    row.last_seen_at = max(written, seen_at(request, now))
    if not row.is_open(now):
        return None
    last_seen_at = now if is_there else row.last_seen_at
    if last_seen_at - written >= SEEN_EVERY:

        def write(context: WriteContext) -> None:
            sessions.seen(context.session, row.id, last_seen_at)

        runtime.write(write, subject=row.id, by=Person(row.name, row.office))
    return row


def _end(runtime: Runtime, request: Request) -> None:
    """End the session of this browser, by its secret or by the pass that it was given."""
    with runtime.reading() as session:
        row = sessions.find(session, cookie_of(request, SESSION_COOKIE))
    staff = row.staff if row is not None else find_staff(request)
    if staff is None:
        return
    by = staff.caller(address_of(request)).person
    runtime.write(
        lambda context: sessions.end(context, staff.session_id), subject=staff.session_id, by=by
    )


def _to_sign_in(next: str | None) -> Response:
    path = own_path(next)
    return see_other(SIGN_IN, next=path) if path != "/" else see_other(SIGN_IN)


def _fields(form: PostedForm) -> list[tuple[str, str]]:
    """What was filled in, with the key that makes it one act."""
    typed = [(name, value) for name, value in form.data.multi_items() if isinstance(value, str)]
    return [(name, value) for name, value in typed if name != FORM_KEY] + [(FORM_KEY, form.key)]
