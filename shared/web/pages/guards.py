"""What every page refuses: forms of other sites, and what a browser must not do with a page."""

from collections.abc import Mapping

from fastapi import Request
from starlette.responses import Response

from shared.base.errors import Forbidden
from shared.web.pages.site import site_of

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_SITES = frozenset({"same-origin", "none"})
"""`none`: the person did it themselves, by typing the address or a bookmark."""

POLICY: Mapping[str, str] = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
"""The Content-Security-Policy of every page: nothing from elsewhere, no script in the page."""

NO_REFERRER = {"Referrer-Policy": "no-referrer"}
"""For pages with a token in their address, which is told to nobody."""


def require_own_form(request: Request) -> None:
    """Refuse what another site has a visitor's browser do (CSRF).

    Browsers say themselves where a request comes from; of one that does not, the `Origin` must be
    ours.

    Raises:
        Forbidden: it comes from elsewhere, or does not say.
    """
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        is_own = site in OWN_SITES
    else:
        is_own = request.headers.get("origin") == site_of(request).origin(request)
    if not is_own:
        raise Forbidden("another_site", "This form was sent from another site; open our own page.")


def add_page_headers(response: Response) -> None:
    """Say what a browser may do with a page, where the page did not say so itself."""
    response.headers.setdefault("Content-Security-Policy", policy())
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")


def policy(**changes: str) -> str:
    """The policy with some directives replaced, `frame_ancestors="https://…"`."""
    directives = {**POLICY, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return "; ".join(f"{name} {value}" for name, value in directives.items())
