"""What the ways in have in common: their templates, and how a sign-in ends."""

from datetime import datetime
from pathlib import Path

from fastapi import Request
from starlette.responses import Response

from services.activation.staff.cookies import keep_pass, keep_session
from services.activation.staff.sessions import Opened
from shared.web.pages import PageTemplates, own_path, see_other

TEMPLATES = PageTemplates(Path(__file__).parents[1] / "templates" / "pages")
SIGN_IN = "/staff/sign-in"


def address_of(request: Request) -> str:
    """From where somebody comes, for the record of acts."""
    return request.client.host if request.client else ""


def enter(request: Request, opened: Opened, next_path: str, now: datetime) -> Response:
    """Send somebody who has signed in on to where they wanted to be."""
    response = see_other(own_path(next_path))
    keep_session(request, response, opened.secret)
    keep_pass(request, response, opened.staff, now)
    return response
