"""What a route's plain function returns becomes its answer in the thread that ran it."""

import asyncio
from collections.abc import Callable
from threading import current_thread
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Request, Response
from pydantic import BaseModel, PlainSerializer

from shared.web.answers import set_header
from shared.web.app import api_router, create_app


def noted(_value: str) -> str:
    return current_thread().name


Thread = Annotated[str, PlainSerializer(noted)]


class Parcel(BaseModel):
    """Something to be answered, and which thread wrote it down."""

    number: int
    written_by: Thread = ""
    ran_in: str = ""


def answer_of(function: Callable[..., Any], **options: Any) -> httpx.Response:
    """What this function answers at the address `/parcel`."""
    routes = api_router()
    routes.get("/parcel", **options)(function)
    app = create_app([routes], token_key="k" * 40)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get("/parcel")

    return asyncio.run(ask())


def test_an_answer_is_written_in_the_thread_that_ran_the_function() -> None:
    def parcel() -> Parcel:
        return Parcel(number=7, ran_in=current_thread().name)

    answer = answer_of(parcel, status_code=202)
    assert answer.status_code == 202
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    assert told["number"] == 7
    assert told["written_by"] == told["ran_in"] != current_thread().name


def test_a_result_that_is_not_what_was_promised_is_our_own_fault() -> None:
    def parcel() -> list[Parcel]:
        return ["none"]  # type: ignore[list-item]

    answer = answer_of(parcel)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")


def test_only_what_was_promised_is_told() -> None:
    class Secretive(Parcel):
        """A parcel with something that is nobody's business."""

        secret: str = "hush"

    def parcel() -> Parcel:
        return Secretive(number=7)

    assert "secret" not in answer_of(parcel).json()


def test_what_is_unset_is_left_out_where_the_route_says_so() -> None:
    def parcel() -> Parcel:
        return Parcel(number=7)

    assert answer_of(parcel, response_model_exclude_unset=True).json() == {"number": 7}


@pytest.mark.parametrize("kind", ["plain", "coroutine", "whole answer"])
def test_a_header_that_was_set_is_in_the_answer_whoever_makes_it(kind: str) -> None:
    def parcel(request: Request) -> Parcel:
        set_header(request, "X-Parcel", "7")
        return Parcel(number=7)

    async def coroutine(request: Request) -> Parcel:
        return parcel(request)

    def whole(request: Request) -> Response:
        parcel(request)
        return Response(status_code=204)

    function = {"plain": parcel, "coroutine": coroutine, "whole answer": whole}[kind]
    assert answer_of(function).headers["x-parcel"] == "7"
