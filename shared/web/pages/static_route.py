"""The route that answers with the stylesheet and the scripts, and nothing else of the disk."""

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from shared.web.auth import not_there
from shared.web.pages.router import pages_router
from shared.web.pages.static import MEDIA_TYPES, contents, names, version

FOREVER = "public, max-age=31536000, immutable"


def static_routes() -> APIRouter:
    """Files that browsers keep until they change."""
    routes = pages_router()
    known = names()

    @routes.get("/static/{name}")
    async def static(name: str, request: Request) -> Response:
        if name not in known:
            raise not_there()
        is_this_version = request.query_params.get("v") == version(name)
        headers = {"Cache-Control": FOREVER if is_this_version else "no-cache"}
        return Response(contents(name), 200, headers, MEDIA_TYPES[Path(name).suffix])

    return routes
