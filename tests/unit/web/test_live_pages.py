"""A page that is open hears of a change; when the process ends, no open page holds it up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi import Request

from shared.base.errors import NotFound, Unavailable
from shared.links import PageLinks
from shared.web.pages import Site, changes, find_staff
from shared.web.pages import live as live_module
from shared.web.passes import Staff, issue_pass


class Standing:
    """What a page shows, and in which version."""

    def __init__(self) -> None:
        self.version = "1"
        self.looks = 0

    def read(self) -> str:
        self.looks += 1
        return self.version


@pytest.fixture
def site() -> Site:
    return Site(PageLinks("http://127.0.0.1", ["k" * 40]))


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "LOOK_SECONDS", 0.001)


def request_of(site: Site, since: str, token: str = "", cookie: str | None = None) -> Request:
    """The request of an open page: of whoever holds this link, or has this pass."""
    app = SimpleNamespace(state=SimpleNamespace(site=site))
    request = SimpleNamespace(
        app=app,
        state=SimpleNamespace(),
        scope={},
        query_params={"since": since},
        path_params={"token": token},
        cookies={site.cookie("pass"): cookie},
        client=None,
    )
    return cast(Request, request)


def hear(request: Request, standing: Standing, how_many: int = 1) -> list[Any]:
    """What an open page hears until it has heard so many changes."""

    async def listen() -> list[Any]:
        heard = []
        async for event in changes(request, standing.read):
            heard.append(event)
            standing.version += "+"
            if len(heard) == how_many:
                break
        return heard

    return asyncio.run(listen())


def test_an_open_page_hears_each_change(site: Site) -> None:
    heard = hear(request_of(site, since="0"), Standing(), how_many=3)
    assert [event.event for event in heard] == ["changed"] * 3
    assert [event.data for event in heard] == ["1", "1+", "1++"]


def test_what_a_page_shows_already_is_no_news(site: Site) -> None:
    # Given a page that shows the latest, When nothing happens until the process ends,
    standing = Standing()

    def read() -> str:
        if standing.looks > 3:
            site.stopping.set()
        return standing.read()

    async def listen() -> list[Any]:
        return [event async for event in changes(request_of(site, since="1"), read)]

    # Then it hears nothing, and lets the process go.
    assert asyncio.run(listen()) == []


def listen(request: Request, read: Any) -> list[Any]:
    """All that a stream says until it ends."""

    async def to_the_end() -> list[Any]:
        return [event async for event in changes(request, read)]

    return asyncio.run(to_the_end())


@asynccontextmanager
async def crowd(site: Site, how_many: int, token: str = "") -> AsyncIterator[None]:
    """So many open pages, each of another visitor unless one is named."""
    async with AsyncExitStack() as pages:
        for number in range(how_many):
            await pages.enter_async_context(place(site, token or str(number)))
        yield


def place(site: Site, token: str) -> AbstractAsyncContextManager[None]:
    """A place for the stream of whoever holds this link."""
    return asynccontextmanager(live_module.room)(request_of(site, since="0", token=token))


def test_too_many_open_pages_are_refused_before_they_begin_and_their_places_come_free(
    site: Site,
) -> None:
    async def evening() -> None:
        # Given as many open pages as there may be, Then another is told to come back,
        async with crowd(site, live_module.MOST_STREAMS):
            with pytest.raises(Unavailable) as refused:
                await place(site, "another").__aenter__()
            assert refused.value.extra == {"retry_after": live_module.COME_BACK_SECONDS}
        # And finds room once they are gone.
        async with place(site, "another"):
            pass

    asyncio.run(evening())


def test_no_visitor_takes_all_places(site: Site) -> None:
    async def evening() -> None:
        # Given somebody who has one page open more often than anybody needs,
        async with crowd(site, live_module.MOST_OF_ONE, token="greedy"):
            # When they open it once more, Then they are told to come back;
            with pytest.raises(Unavailable):
                await place(site, "greedy").__aenter__()
            # And everybody else is let in.
            async with place(site, "another"):
                pass

    asyncio.run(evening())


def test_a_stream_ends_when_its_page_would_be_refused(site: Site) -> None:
    # Given a page that is there when it is opened, and is another office's after a while,
    standing = Standing()

    def read() -> str:
        if standing.looks == 2:
            raise NotFound("not_found", "There is nothing here by that name.")
        return standing.read()

    # When it is listened to, Then the stream ends, and nobody is left hanging.
    assert [event.event for event in listen(request_of(site, since="0"), read)] == ["changed"]


def test_a_stream_ends_when_its_visitor_has_signed_out(site: Site) -> None:
    # Given staff who have a page open,
    staff, standing, gone = Staff("s-1", "M. Voorbeeld", "king", None), Standing(), set[str]()
    site.session_is_open = lambda session_id: session_id not in gone
    cookie = issue_pass(site.links.signer, staff, datetime.now(UTC))
    request = request_of(site, since="0", cookie=cookie)
    assert find_staff(request) == staff

    def read() -> str:
        # When they sign out while it is listened to,
        if standing.looks == 3:
            gone.add("s-1")
        return standing.read()

    # Then it ends.
    assert [event.event for event in listen(request, read)] == ["changed"]
    assert standing.looks == 4
