"""The mailbox: a mail as a mail program shows it, a text message as on a phone."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

from fastapi import APIRouter, Depends, Request, Response

from infra.demo.playground.access import require_at_the_machine
from infra.demo.playground.mailbox import Letter, Mailbox
from shared.web.auth import not_there
from shared.web.pages import (
    NO_REFERRER,
    EventSourceResponse,
    PageTemplates,
    ServerSentEvent,
    changes,
    pages_router,
    policy,
)

templates = PageTemplates(Path(__file__).parent / "templates")

MAILS_OWN_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)
"""A mail is somebody else's page: it has its styles in it, and may do nothing."""

FirstPage = Callable[[str], bytes | None]
"""The first page of the document of this file name, as a picture."""


def mailbox_pages(mailbox: Mailbox, first_page: FirstPage) -> APIRouter:
    """What was mailed and texted."""
    routes = pages_router()
    routes.dependencies.append(Depends(require_at_the_machine))
    _lists(routes, mailbox)
    _one(routes, mailbox, first_page)
    return routes


def _lists(routes: APIRouter, mailbox: Mailbox) -> None:
    @routes.get("/mailbox")
    def all_of_it(request: Request) -> Response:
        is_fragment = request.headers.get("hx-request") == "true"
        return templates.page(
            request,
            "mailbox_list.html" if is_fragment else "mailbox.html",
            letters=mailbox.latest(),
            version=mailbox.version(),
        )

    @routes.get("/mailbox/live", response_class=EventSourceResponse)
    async def live(request: Request) -> AsyncIterator[ServerSentEvent]:
        async for event in changes(request, mailbox.version):
            yield event


def _one(routes: APIRouter, mailbox: Mailbox, first_page: FirstPage) -> None:
    def letter(name: str) -> Letter:
        if (found := mailbox.find(name)) is None:
            raise not_there()
        return found

    @routes.get("/mailbox/{name}")
    def show(request: Request, name: str) -> Response:
        headers = {**NO_REFERRER, "Content-Security-Policy": policy(frame_src="'self'")}
        return templates.page(request, "letter.html", headers=headers, letter=letter(name))

    @routes.get("/mailbox/{name}/html")
    def html(name: str) -> Response:
        # Links in it lead to the pages themselves, outside the frame.
        body = letter(name).html.replace("<head>", '<head><base target="_blank">', 1)
        headers = {**NO_REFERRER, "Content-Security-Policy": MAILS_OWN_POLICY}
        return Response(body, 200, headers, "text/html; charset=utf-8")

    @routes.get("/mailbox/{name}/enclosed/{number}")
    def enclosed(name: str, number: int) -> Response:
        files = letter(name).enclosed
        if not 0 <= number < len(files):
            raise not_there()
        file = files[number]
        headers = {
            "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
            "Content-Disposition": "attachment; filename=bijlage.pdf",
        }
        return Response(file.content, 200, headers, "application/pdf")

    @routes.get("/mailbox/{name}/first-page")
    def picture(name: str) -> Response:
        pages = [first_page(file.name) for file in letter(name).enclosed]
        found = next((page for page in pages if page is not None), None)
        if found is None:
            raise not_there()
        return Response(found, 200, {}, "image/png")
