"""Routes are built once, however many routers they pass through on their way to the caller."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from shared.web.app import api_router
from shared.web.pages import pages_router
from shared.web.routers import Router, serve

BUILT: list[str] = []


class CountedRoute(APIRoute):
    """A route that notes when FastAPI makes what answers for it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        BUILT.append(self.path)
        return super().get_route_handler()


def test_a_route_is_built_once_however_deep_the_router_lies_that_has_it() -> None:
    # Given a page in a part of a part,
    BUILT.clear()
    part, whole, service = (Router(route_class=CountedRoute) for _ in range(3))

    @part.get("/orders/{number}")
    def order(number: int) -> int:
        return number

    # When they are put together, and somebody asks for it,
    whole.include_router(part)
    service.include_router(whole)
    app = FastAPI(openapi_url=None)
    serve(app, [service])
    answer = TestClient(app).get("/orders/7")
    # Then they are answered by the route that was made at first.
    assert answer.json() == 7
    assert BUILT == ["/orders/{number}"]


@pytest.mark.parametrize(
    "whole", [api_router(prefix="/api"), api_router(tags=["orders"]), pages_router(prefix="/sign")]
)
def test_what_a_whole_would_add_to_its_parts_is_refused_and_never_lost(whole: Router) -> None:
    with pytest.raises(ValueError, match="give its own router the prefix"):
        whole.include_router(api_router())
    with pytest.raises(ValueError, match="give its own router the prefix"):
        api_router().include_router(api_router(), prefix="/api")
