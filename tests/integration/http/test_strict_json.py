"""A body is read once, strictly, and only for those who may send it."""

import json
import socket
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import httpx
import pydantic_core
import pytest
from fastapi import Body, Depends
from fastapi.routing import APIRoute
from pydantic import BaseModel

from infra.run.http_server import HttpServer
from shared.events import envelope
from shared.web import app as web
from shared.web.app import api_router, caller_with, create_app
from shared.web.auth import Caller
from tests.integration.http.test_doors import is_problem
from tests.scopes import token_for

KEY = "k" * 40
SCOPE = "onboardings:read"


class Parcel(BaseModel):
    """What the call with a model of its own takes."""

    weight: int


@pytest.fixture
def address() -> Iterator[str]:
    """A process with a call for each way in which a route takes its body."""
    router = api_router(prefix="/parcels")

    @router.post("/free")
    def send_free(document: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
        return document

    @router.post("/typed")
    def send_typed(
        parcel: Parcel, _caller: Annotated[Caller, Depends(caller_with(SCOPE))]
    ) -> Parcel:
        return parcel

    @router.post("/nothing")
    def send_nothing() -> str:
        return "sent"

    listening = socket.create_server(("127.0.0.1", 0))
    server = HttpServer(create_app([router], token_key=KEY), listening)
    server.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/parcels"
    server.stop(30.0)


@pytest.fixture
def post(address: str) -> Callable[..., httpx.Response]:
    """Posts a body, as it stands, to a call; with a token where one is given."""

    def send(path: str, body: bytes, token: str = "", media_type: str = "application/json") -> Any:
        headers = {"Content-Type": media_type}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return httpx.post(f"{address}{path}", content=body, headers=headers)

    return send


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every text that is read as JSON, by whichever reader."""
    texts: list[bytes] = []

    def counting(read: Callable[..., Any]) -> Callable[..., Any]:
        def read_and_count(text: bytes, *rest: Any, **options: Any) -> Any:
            texts.append(text)
            return read(text, *rest, **options)

        return read_and_count

    monkeypatch.setattr(envelope, "from_json", counting(pydantic_core.from_json))
    monkeypatch.setattr(json, "loads", counting(json.loads))
    return texts


@pytest.mark.parametrize("path", ["/free", "/typed", "/nothing"])
def test_one_post_has_its_body_parsed_once(
    post: Callable[..., httpx.Response], parsed: list[bytes], path: str
) -> None:
    # Given whoever reads JSON in this process, counted,
    token = token_for(KEY, SCOPE)
    parsed.clear()
    # When a body comes in,
    answer = post(path, b'{"weight": 7}', token)
    # Then it was read once.
    assert answer.status_code == 200, answer.text
    assert parsed.count(b'{"weight": 7}') == 1


def test_a_body_of_somebody_who_may_not_send_it_is_not_parsed(
    post: Callable[..., httpx.Response], parsed: list[bytes]
) -> None:
    # Given a body that is valid JSON, and one that is none,
    for body in (b'{"weight": "much"}', b'{"weight": NaN}'):
        # When they come without a token, Then nobody looks at them.
        assert is_problem(post("/typed", body), 401, "token_missing")
        assert body not in parsed


def test_who_may_send_it_is_told_what_is_wrong_with_it(
    post: Callable[..., httpx.Response],
) -> None:
    token = token_for(KEY, SCOPE)
    assert is_problem(post("/typed", b'{"weight": NaN}', token), 400, "json_invalid")
    assert is_problem(post("/typed", b'{"weight": "much"}', token), 422, "invalid")


@pytest.mark.parametrize(
    "media_type", ["application/json", "application/json; charset=utf-8", "application/x+json"]
)
@pytest.mark.parametrize("path", ["/free", "/nothing"])
def test_json_is_read_strictly_by_whichever_name_it_comes(
    post: Callable[..., httpx.Response], path: str, media_type: str
) -> None:
    answer = post(path, b'{"weight": Infinity}', media_type=media_type)
    assert is_problem(answer, 400, "json_invalid")


def test_a_body_that_does_not_call_itself_json_is_no_json(
    post: Callable[..., httpx.Response], parsed: list[bytes]
) -> None:
    answer = post("/free", b'{"weight": 7}', media_type="text/plain")
    assert is_problem(answer, 422, "invalid")
    assert b'{"weight": 7}' not in parsed


def test_a_route_that_needs_a_token_knows_it_from_when_it_is_made() -> None:
    # Given a dependency of ours that has one of the web's behind it, as for operators alone,
    def operator(caller: Annotated[Caller, Depends(caller_with(SCOPE))]) -> Caller:
        return caller

    router = api_router()

    @router.get("/letters")
    def letters(_operator: Annotated[Caller, Depends(operator)]) -> str:
        return ""

    # When the route is looked at, Then it has the scope, however deep it stands.
    (route,) = router.routes
    assert isinstance(route, APIRoute)
    (scope,) = web._required_scopes(route.dependant)
    assert scope.scope == SCOPE
