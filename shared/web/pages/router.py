"""Routes for people: guarded alike, and every failure is a page that says what to do."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from shared.web.pages.failures import failure_page
from shared.web.pages.guards import NO_REFERRER, add_page_headers, require_own_form
from shared.web.pages.live import EventSourceResponse, room
from shared.web.pages.site import site_of
from shared.web.routers import Route, Router


class _PageRoute(Route):
    """A page: under our own name, posted from our own pages, its failures shown as pages."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if options.get("response_class") is EventSourceResponse:
            options["dependencies"] = [Depends(room), *(options.get("dependencies") or ())]
        elif set(options.get("methods") or ()) == {"GET"}:
            options["methods"] = ["GET", "HEAD"]  # Whoever checks links asks so (RFC 9110, 9.1).
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def guard_and_handle(request: Request) -> Response:
            try:
                site_of(request).require_host(request)
                require_own_form(request)
                response = await handle(request)
            except Exception as error:
                response = await failure_page(request, error)
            if "token" in request.path_params:
                # Also where the page is refused: the token stands in the address all the same.
                response.headers.update(NO_REFERRER)
            add_page_headers(response)
            return response

        return guard_and_handle


def pages_router(prefix: str = "") -> APIRouter:
    """A router for pages, which are no part of what is promised to programs."""
    return Router(
        prefix=prefix,
        route_class=_PageRoute,
        include_in_schema=False,
        default_response_class=HTMLResponse,
    )
