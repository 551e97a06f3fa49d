"""What a page does wrong in silence: the browser notices, a person does not."""

from collections.abc import Collection
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Request, Response, WebError

NOT_ASKED_OF_ANYBODY = {"data", "blob", "about"}
"""Addresses that hold what they lead to."""

LEFT = "net::ERR_ABORTED"
"""A request that ended since the person went on, or since the answer was a file to keep."""

STATUS_LINE = "Failed to load resource: the server responded with a status of"
"""What the console says of an answer from 400 on: it is judged by its number instead."""

FAVICON = "/favicon.ico"
"""Asked for by the browser itself, now and then, where a page names no icon."""

TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", event => console.error(
    `Content-Security-Policy: ${event.effectiveDirective} does not allow ${event.blockedURI}`
    + ` (${event.sourceFile}:${event.lineNumber})`));
"""


class Faults:
    """Collects, in one browser context, what no page may do.

    These are faults: an error on the console or in a script, a violation of the page's
    Content-Security-Policy, a request that failed or went to another origin than `origins`, and
    an answer from 400 on that is not among the statuses that the test `expects`.
    """

    def __init__(
        self, context: BrowserContext, origins: Collection[str], expects: Collection[int] = ()
    ) -> None:
        self._context = context
        self._origins = frozenset(origins)
        self._expects = frozenset(expects)
        self.seen: list[str] = []
        context.add_init_script(TELL_VIOLATIONS)
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)
        context.on("request", self._on_request)
        context.on("requestfailed", self._on_failed)
        context.on("response", self._on_response)

    def all(self) -> list[str]:
        """What was seen until now, each once, in order."""
        for page in self._context.pages:
            if not page.is_closed():
                # What the browser has to say comes before its answer to this.
                page.evaluate("0")
        return list(dict.fromkeys(self.seen))

    def require_none(self) -> None:
        """Raise AssertionError, naming each, unless the pages did nothing wrong."""
        seen = self.all()
        assert not seen, "the pages did what no page may do:\n" + "\n".join(f"- {x}" for x in seen)

    def _on_console(self, message: ConsoleMessage) -> None:
        source = message.location.get("url", "")
        if message.type != "error" or message.text.startswith(STATUS_LINE):
            return
        self.seen.append(f"the console shows an error: {message.text} ({source})")

    def _on_error(self, error: WebError) -> None:
        self.seen.append(f"a script failed: {error.error}")

    def _on_request(self, request: Request) -> None:
        if self._is_foreign(request.url):
            self.seen.append(f"{_who(request)} asked another origin: {request.url}")

    def _on_failed(self, request: Request) -> None:
        if request.failure != LEFT and not request.url.endswith(FAVICON):
            self.seen.append(f"a {request.resource_type} failed: {request.url}, {request.failure}")

    def _on_response(self, response: Response) -> None:
        if response.status < 400 or response.status in self._expects:
            return
        if not response.url.endswith(FAVICON):
            kind = response.request.resource_type
            self.seen.append(f"a {kind} was answered {response.status}: {response.url}")

    def _is_foreign(self, url: str) -> bool:
        parts = urlsplit(url)
        return (
            parts.scheme not in NOT_ASKED_OF_ANYBODY
            and f"{parts.scheme}://{parts.netloc}" not in self._origins
        )


def _who(request: Request) -> str:
    try:
        return f"the page {request.frame.url}"
    except Error:  # Its frame is not there yet, or no more.
        return "a page"
