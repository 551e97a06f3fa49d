"""Where a page can be opened again that was shown in answer to a form."""

import asyncio

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import PlainTextResponse

from shared.web.pages.returning import path_to_open


def shop() -> FastAPI:
    """Pages with forms below them; each answers with where it can be opened again."""
    app = FastAPI(default_response_class=PlainTextResponse)
    routes = APIRouter(prefix="/shop")

    def answer(request: Request) -> str:
        return path_to_open(request)

    for path in ("", "/{article}", "/letters/{letter_id:path}", "/letters/{letter_id:path}/edit"):
        routes.get(path)(answer)
    for path in (
        "/{article}",
        "/{article}/price/lower",
        "/letters/{letter_id:path}/retry",
        "/letters/{letter_id:path}/edit",
    ):
        routes.post(path)(answer)
    app.include_router(routes)

    @app.post("/nowhere/{name}")
    def below_no_page(request: Request) -> str:
        return answer(request)

    return app


async def ask(method: str, path: str) -> httpx.Response:
    straight = httpx.ASGITransport(shop())
    async with httpx.AsyncClient(transport=straight, base_url="http://localhost") as caller:
        return await caller.request(method, path)


@pytest.mark.parametrize(
    ("method", "path", "to_open"),
    [
        ("GET", "/shop/bread", ""),
        ("POST", "/shop/bread", "/shop/bread"),
        ("POST", "/shop/bread/price/lower", "/shop/bread"),
        ("POST", "/shop/letters/refused/1a/retry", "/shop/letters/refused/1a"),
        ("POST", "/shop/letters/refused/1a/edit", "/shop/letters/refused/1a/edit"),
        ("POST", "/nowhere/else", ""),
    ],
)
def test_it_is_the_nearest_page_above_the_form(method: str, path: str, to_open: str) -> None:
    answer = asyncio.run(ask(method, path))
    assert (answer.status_code, answer.text) == (200, to_open)
