"""Who may play: whoever sits at the machine itself, by its own name."""

from fastapi import Request

from shared.web.auth import not_there
from shared.web.pages import site_of
from shared.web.pages.site import LOOPBACK

FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")
"""What a proxy adds: behind one everybody seems to sit at this machine."""


def require_at_the_machine(request: Request) -> None:
    """Hide the page of the first run from everybody else, as if it were not there.

    Raises:
        NotFound: they do not sit at this machine, or it is no machine of one's own.
    """
    site = site_of(request)
    peer = request.client.host if request.client else ""
    asked = (request.url.hostname or "").strip("[]")
    is_proxied = any(name in request.headers for name in FORWARDED)
    is_at_home = peer in LOOPBACK and asked in LOOPBACK and not is_proxied
    if not (site.is_embedded and not site.is_public and is_at_home):
        raise not_there()
