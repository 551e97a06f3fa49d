"""Signing in with one's own organisation: there, and back with its answer."""

from typing import NamedTuple
from uuid import uuid4

import structlog
from fastapi import APIRouter, Request
from starlette.responses import Response

from services.activation.login.limits import Limit
from services.activation.staff import attempts, sessions
from services.activation.staff.attempts import Attempt
from services.activation.staff.cookies import (
    ATTEMPT_COOKIE,
    SESSION_COOKIE,
    clear,
    cookie_of,
)
from services.activation.staff.provider import (
    NotAllowed,
    NotVerified,
    Provider,
    ProviderUnavailable,
)
from services.activation.staff.screens import SIGN_IN, TEMPLATES, address_of, enter
from services.activation.staff.sessions import Opened, StaffMember
from shared.base.words import Words
from shared.host.requests import WriteContext
from shared.host.runtime import Runtime
from shared.web.auth import not_there
from shared.web.pages import Posted, own_path, pages_router, set_cookie, site_of

log = structlog.get_logger()

CALLBACK = "/staff/callback"
FROM_ADDRESS = 60
"""So often within a quarter of an hour a sign-in may begin at one address: each keeps a row."""
MAX_CHARACTERS = 2_000


class Refusal(NamedTuple):
    """Why a sign-in came to nothing, for whoever tried."""

    status: int
    words: Words


AWAY = Refusal(
    503,
    Words(
        "Uw organisatie is even niet bereikbaar voor het aanmelden. Probeer het zo opnieuw.",
        "Your organisation cannot be reached to sign you in. Please try again shortly.",
    ),
)
BROKEN_OFF = Refusal(
    403,
    Words(
        "Het aanmelden bij uw organisatie is afgebroken of geweigerd.",
        "Signing in at your organisation was broken off or refused.",
    ),
)
LOST = Refusal(
    400,
    Words(
        "Deze aanmelding is verlopen, al gebruikt, of in een andere browser begonnen.",
        "This sign-in has expired, was used already, or was begun in another browser.",
    ),
)
UNPROVEN = Refusal(
    403,
    Words(
        "Het antwoord van uw organisatie kon niet worden vertrouwd, dus u bent niet aangemeld.",
        "The answer of your organisation could not be trusted, so you are not signed in.",
    ),
)


def provider_pages(runtime: Runtime) -> APIRouter:
    """The pages on the way to the provider and back."""
    routes = pages_router()
    settings, limit = runtime.settings.staff, Limit(FROM_ADDRESS)
    provider = Provider(settings)

    @routes.get(SIGN_IN)
    def show(request: Request, next: str | None = None, done: str | None = None) -> Response:
        return TEMPLATES.page(
            request,
            "staff_sign_in.html",
            has_provider=settings.has_provider,
            next_path=own_path(next),
            done=done,
        )

    @routes.post(SIGN_IN)
    def go(request: Request, form: Posted) -> Response:
        if not settings.has_provider:
            raise not_there()
        limit.take(address_of(request))
        attempt = Attempt.new(own_path(form.text("next")))
        try:
            address = provider.address(attempt, _callback(request))
        except ProviderUnavailable as error:
            log.warning("sign_in_provider_unavailable", reason=str(error))
            return _refuse(request, AWAY)
        with runtime.engine.transactions.internal_transaction() as work:
            attempts.keep(work.session, attempt, runtime.clock())
        # A page that leads on, and no redirect: after a form those may only lead to our own pages.
        response = TEMPLATES.page(request, "staff_forward.html", address=address)
        seconds = int(attempts.LIFETIME.total_seconds())
        set_cookie(site_of(request), response, ATTEMPT_COOKIE, attempt.browser, seconds=seconds)
        return response

    @routes.get(CALLBACK)
    def come_back(request: Request, state: str = "", code: str = "", error: str = "") -> Response:
        if not settings.has_provider:
            raise not_there()
        response = _come_back(runtime, provider, request, state, code, error)
        clear(request, response, ATTEMPT_COOKIE)
        return response

    return routes


def _come_back(
    runtime: Runtime, provider: Provider, request: Request, state: str, code: str, error: str
) -> Response:
    attempt = _take(runtime, request, state)
    if attempt is None:
        return _refuse(request, LOST)
    if error or not code or len(code) > MAX_CHARACTERS:
        return _refuse(request, BROKEN_OFF)
    try:
        member = provider.member(attempt, code, _callback(request), runtime.clock())
    except ProviderUnavailable as away:
        log.warning("sign_in_provider_unavailable", reason=str(away))
        return _refuse(request, AWAY)
    except NotVerified as unproven:
        log.warning("sign_in_not_verified", reason=str(unproven)[:200])
        return _refuse(request, UNPROVEN)
    except NotAllowed as refused:
        return _refuse(request, Refusal(403, refused.words))
    opened = _begin(runtime, request, member)
    return enter(request, opened, attempt.next_path, runtime.clock())


def _take(runtime: Runtime, request: Request, state: str) -> Attempt | None:
    """What this browser began, if it did; it is over with that, whatever comes of it."""
    browser = cookie_of(request, ATTEMPT_COOKIE)
    if not state or not browser:
        return None
    with runtime.engine.transactions.internal_transaction() as work:
        return attempts.take(work.session, state, browser, runtime.clock())


def _begin(runtime: Runtime, request: Request, member: StaffMember) -> Opened:
    def begin(context: WriteContext) -> Opened:
        return sessions.begin(context, member, "provider", cookie_of(request, SESSION_COOKIE))

    person = member.person(address_of(request))
    return runtime.write(begin, subject=str(uuid4()), by=person)


def _callback(request: Request) -> str:
    """Where the provider sends people back to, as it must know it beforehand."""
    return f"{site_of(request).origin(request)}{CALLBACK}"


def _refuse(request: Request, refusal: Refusal) -> Response:
    return TEMPLATES.page(
        request, "staff_refused.html", status=refusal.status, sentence=refusal.words
    )
