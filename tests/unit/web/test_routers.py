"""Routes are built once, when they are asked for, however many routers they pass through."""

import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import FastAPIError
from fastapi.testclient import TestClient

from shared.web.app import api_router
from shared.web.pages import pages_router
from shared.web.routers import Route, Router, serve

BUILT: list[str] = []


class CountedRoute(Route):
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


def test_a_route_is_built_when_it_is_first_asked_for_and_no_other_with_it() -> None:
    # Given two pages that nobody has asked for,
    BUILT.clear()
    router = Router(route_class=CountedRoute)

    @router.get("/orders/{number}")
    def order(number: int) -> int:
        return number

    @router.post("/orders")
    def place() -> int:
        return 1

    app = FastAPI(openapi_url=None)
    serve(app, [router])
    assert BUILT == []
    # When one is asked for, twice, Then it is built once, and the other waits.
    caller = TestClient(app)
    assert [caller.get(f"/orders/{number}").json() for number in (7, 8)] == [7, 8]
    assert BUILT == ["/orders/{number}"]
    # What cannot be answered needs none to be built: a method that a path has not, or no such path.
    assert caller.get("/orders").status_code == 405
    assert caller.get("/customers").status_code == 404
    assert BUILT == ["/orders/{number}"]


def test_the_document_names_routes_that_nobody_has_asked_for() -> None:
    # Given a page that nobody has asked for,
    router = api_router(tags=["orders"])

    @router.get("/orders/{number}", summary="One order")
    def order(number: int) -> int:
        return number

    app = FastAPI()
    serve(app, [router])
    # When somebody wants to know what there is, Then it is described as if it had been.
    described = TestClient(app).get("/openapi.json").json()["paths"]["/orders/{number}"]["get"]
    assert (described["summary"], described["tags"]) == ("One order", ["orders"])
    assert described["parameters"][0]["schema"]["type"] == "integer"


def test_a_route_that_cannot_be_built_says_so_to_each_who_asks() -> None:
    router = Router(route_class=Route)

    class Unreadable:
        """Nothing that a request could be read into."""

    @router.get("/orders")
    def orders(filter_by: Unreadable) -> int:
        return 1

    (route,) = router.routes
    assert isinstance(route, Route)
    for _ in range(2):
        with pytest.raises(FastAPIError, match="Invalid args"):
            assert route.dependant


def test_who_asks_while_a_route_is_being_built_waits_for_it() -> None:
    # Given a route that takes a while to build,
    begun, go_on = threading.Event(), threading.Event()

    class SlowRoute(Route):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            begun.set()
            assert go_on.wait(30)
            return super().get_route_handler()

    router = Router(route_class=SlowRoute)
    router.add_api_route("/orders", lambda: 1)
    (route,) = router.routes
    assert isinstance(route, Route)
    # When a second thread asks for it meanwhile,
    with ThreadPoolExecutor() as threads:
        asked = [threads.submit(lambda: route.app) for _ in range(2)]
        assert begun.wait(30)
        go_on.set()
        # Then both have the same, and whole.
        first, second = (answer.result(30) for answer in asked)
    assert first is second


@pytest.mark.parametrize(
    "whole", [api_router(prefix="/api"), api_router(tags=["orders"]), pages_router(prefix="/sign")]
)
def test_what_a_whole_would_add_to_its_parts_is_refused_and_never_lost(whole: Router) -> None:
    with pytest.raises(ValueError, match="give its own router the prefix"):
        whole.include_router(api_router())
    with pytest.raises(ValueError, match="give its own router the prefix"):
        api_router().include_router(api_router(), prefix="/api")
