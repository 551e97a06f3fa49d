"""The gallery: pages as each kind of visitor would meet them, with made-up contents."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import Response

from shared.base.errors import FieldError
from shared.links import PageLinks
from shared.web.app import create_app
from shared.web.pages import (
    NavigationEntry,
    PageTemplates,
    Posted,
    Site,
    Words,
    pages_router,
    see_other,
)
from shared.web.passes import Staff
from tests.browser.gallery.contents import BRANDING, FILLED, STEPS, STUCK, TIMELINE

KEY = "k" * 40
NAMES = ("parts", "form", "status", "worklist", "customer", "desk", "doors", "mailbox", "texts")
OF_STAFF = frozenset({"worklist", "customer", "desk", "parts"})
OF_OFFICE = frozenset({"form", "status"})
CLERK = Staff("session-1", "M. Voorbeeld", "king", None)
NAVIGATION = [
    NavigationEntry("/gallery/worklist", Words("Werklijst", "Work list"), "onboardings:read"),
    NavigationEntry("/gallery/desk", Words("Bevestigingen", "Confirmations"), "orders:read"),
    NavigationEntry("/gallery/offices", Words("Kantoren", "Offices"), "offices:manage"),
]


def gallery(address: str) -> FastAPI:
    """The gallery, as it is served at this address."""
    templates, pages = PageTemplates(Path(__file__).parent / "pages"), pages_router("/gallery")

    @pages.get("/{name}")
    def show(request: Request, name: str) -> Response:
        if name in OF_STAFF:
            request.state.staff = CLERK
        return templates.page(request, f"{name}.html", **_values(name, request.query_params))

    @pages.post("/{name}")
    def take(name: str, form: Posted) -> Response:
        return see_other(f"/gallery/{name}", done="yes")

    site = Site(PageLinks(address, [KEY]), NAVIGATION)
    return create_app([pages], token_key=KEY, site=site)


def _values(name: str, query: Any) -> dict[str, Any]:
    errors: Sequence[FieldError] = FILLED.errors if "wrong" in query else ()
    form = type(FILLED)(FILLED.values, errors)
    branding = BRANDING | {"color": f"#{query.get('color', '7a1f5c')}"}
    return {
        "form": form,
        "steps": STEPS,
        "stuck": STUCK,
        "timeline": TIMELINE,
        "branding": branding if name in OF_OFFICE else None,
    }
