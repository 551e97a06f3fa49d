"""Routers whose routes are built once.

FastAPI notes where a router was included, and builds each of its routes anew for every such place,
since a place may add to it: the beginning of a path, or whom to ask first. Ours say all that for
themselves, so they are taken over as they stand: hundreds of routes, each built once at the start.
"""

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, FastAPI


class Router(APIRouter):
    """A router that is put together of parts, which say their whole paths themselves."""

    def include_router(self, router: APIRouter, **additions: Any) -> None:
        """Take over the routes of a part.

        Raises:
            ValueError: something is to be added to them, which they cannot be given any more.
        """
        if additions or self.prefix or self.tags or self.dependencies:
            raise ValueError(
                "the routes of a part are taken over as they stand: give its own router the "
                "prefix, tags and dependencies that they are to have"
            )
        self.routes.extend(router.routes)


def serve(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Have an application answer by the routes of these routers, as they stand."""
    for router in routers:
        app.router.routes.extend(router.routes)
