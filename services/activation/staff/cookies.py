"""What the browser of somebody who is signed in keeps: the session's secret, and the pass."""

from datetime import UTC, datetime

from fastapi import Request
from starlette.responses import Response

from shared.web.pages import PASS_COOKIE, SEEN_COOKIE, set_cookie, site_of
from shared.web.passes import PASS_MINUTES, Staff, issue_pass

SESSION_COOKIE = "session"
ATTEMPT_COOKIE = "sign-in"
"""Ties a sign-in at the provider to the browser that began it."""


def cookie_of(request: Request, name: str) -> str:
    """What the browser keeps under this name; empty when there is nothing."""
    return request.cookies.get(site_of(request).cookie(name), "")


def seen_at(request: Request, now: datetime) -> datetime:
    """When somebody last did something here, as the browser says; never after now."""
    text = cookie_of(request, SEEN_COOKIE)
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
    return min(now, datetime.fromtimestamp(seconds, UTC))


def keep_session(request: Request, response: Response, secret: str) -> None:
    """Have the browser keep the secret of its session, until it is closed."""
    set_cookie(site_of(request), response, SESSION_COOKIE, secret)


def keep_pass(request: Request, response: Response, staff: Staff, now: datetime) -> None:
    """Give the browser a pass for the next minutes."""
    site = site_of(request)
    token = issue_pass(site.links.signer, staff, now)
    set_cookie(site, response, PASS_COOKIE, token, seconds=60 * PASS_MINUTES)


def clear(request: Request, response: Response, *names: str) -> None:
    """Have the browser forget these cookies."""
    for name in names:
        set_cookie(site_of(request), response, name, "", seconds=0)
