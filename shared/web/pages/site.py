"""The site that all pages of a process belong to: its one origin, its links, its navigation."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from fastapi import Request
from starlette.responses import Response

from shared.base.errors import Problem
from shared.links import PageLinks
from shared.web.navigation import NavigationEntry

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class WrongHost(Problem):
    """The page was asked for under an address that is not ours."""

    status = 421


@dataclass
class Site:
    """What pages need of the process that they are in.

    `is_public` says that people open it under one address that was set; otherwise it is a machine
    of one's own, and the loopback address that was asked will do. `stopping` ends open streams.
    `front_page` is what `/` shows on the embedded default while nobody is signed in.
    `session_is_open` tells of a session's id whether it has not ended, in a process that can know
    that: there a log-out counts at once, elsewhere when the pass ends. It blocks.
    """

    links: PageLinks
    navigation: Sequence[NavigationEntry] = ()
    is_public: bool = False
    is_embedded: bool = False
    front_page: Callable[[Request], Response] | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    session_is_open: Callable[[str], bool] | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def is_secure(self) -> bool:
        """Whether people come by https, so that cookies may say so."""
        return self.links.base_url.startswith("https:")

    def cookie(self, name: str) -> str:
        """The name of a cookie; with `__Host-` no neighbouring host can set it (RFC 6265bis)."""
        return f"__Host-{name}" if self.is_secure else f"stappenplan-{name}"

    def require_host(self, request: Request) -> None:
        """Refuse a page under somebody else's name, which would be theirs to read (rebinding).

        Raises:
            WrongHost: it was asked under another name.
        """
        asked = _host_name(request.headers.get("host", ""))
        own = urlsplit(self.links.base_url).hostname
        if asked is None or (asked != own and (self.is_public or asked not in LOOPBACK)):
            raise WrongHost("wrong_host", f"These pages are at {self.links.base_url}")

    def origin(self, request: Request) -> str:
        """The origin that forms of this site are posted from."""
        if self.is_public:
            parts = urlsplit(self.links.base_url)
            return f"{parts.scheme}://{parts.netloc}"
        return f"{request.url.scheme}://{request.headers.get('host', '')}"


def _host_name(host: str) -> str | None:
    """The name in a header `Host`; None where it is none that a browser would send."""
    try:
        asked = urlsplit(f"//{host}")
        is_plain = asked.netloc == host and "@" not in host and (asked.port or 1) > 0
    except ValueError:
        return None
    return asked.hostname if is_plain else None


def site_of(request: Request) -> Site:
    """The site that a request came to."""
    site: Site = request.app.state.site
    return site
