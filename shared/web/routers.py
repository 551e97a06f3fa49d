"""Routers whose routes are built once, each when it is first asked for.

FastAPI notes where a router was included, and builds each of its routes anew for every such place,
since a place may add to it: the beginning of a path, or whom to ask first. Ours say all that for
themselves, so they are taken over as they stand: hundreds of routes, each built once. To build them
all was a fourteenth of a start, and a fraction of a millisecond for each: so the first who asks for
one waits for that one alone. `tests/house/test_routes.py` sees to it that every one can be built.
"""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import compile_path, get_name

from shared.base.optional import without

MODELS_OF_OLD = "pydantic.v1"
"""FastAPI would load these, to say of each thing in a route that it is none of them."""
_building = threading.RLock()
"""A request and the OpenAPI document may ask for a route at one moment."""


class Route(APIRoute):
    """A route that is found by its path at once, and built when anything else of it is asked."""

    _unbuilt: dict[str, Any] | None = None
    """What it is to be built of, until it is."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self.path, self.endpoint = path, endpoint
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self.methods = set(options.get("methods") or ("GET",))
        self.name = options.get("name") or get_name(endpoint)
        self.include_in_schema = options.get("include_in_schema", True)
        self._unbuilt = options

    def __getattr__(self, name: str) -> Any:
        """What is not there yet: whatever FastAPI finds out about a route as it builds it."""
        with _building, without(MODELS_OF_OLD):
            self._build()
        return object.__getattribute__(self, name)

    def _build(self) -> None:
        options, self._unbuilt = self._unbuilt, None
        if options is None:
            return
        try:
            super().__init__(self.path, self.endpoint, **options)
        except BaseException:
            self._unbuilt = options  # Whoever asks next is told the same.
            raise


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
