"""The server answers from its start until it is told to end, and asks nobody in between."""

import socket
import time
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from infra.run import http_server
from infra.run.http_server import HttpServer


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    bound = socket.create_server(("127.0.0.1", 0))
    yield bound
    bound.close()


def address(listening: socket.socket) -> str:
    return f"http://127.0.0.1:{listening.getsockname()[1]}/openapi.json"


def test_it_ends_when_it_is_told_however_long_it_would_sleep(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a server that looks at nothing for ten minutes,
    monkeypatch.setattr(http_server, "TICK", 600.0)
    it = HttpServer(FastAPI(), listening)
    it.start()
    assert httpx.get(address(listening)).status_code == 200
    # When it is told to end, Then it does.
    it.stop(30.0)
    assert not it._thread.is_alive()


def test_it_sleeps_when_nobody_asks_anything(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a server whose ticks are counted, and those of no other that still runs beside it,
    it = HttpServer(FastAPI(), listening)
    ticks: list[float] = []
    tick = it._server.on_tick

    async def count(counter: int) -> bool:
        ticks.append(time.monotonic())
        return await tick(counter)

    monkeypatch.setattr(it._server, "on_tick", count)
    # When a few have passed, Then each lets the process sleep for as long as a date holds.
    it.start()
    deadline = time.monotonic() + 60
    while len(ticks) < 3 and time.monotonic() < deadline:
        it._thread.join(0.1)
    it.stop(30.0)
    assert len(ticks) >= 3
    assert ticks[1] - ticks[0] >= 0.9 * http_server.TICK
    assert ticks[2] - ticks[1] >= 0.9 * http_server.TICK


def test_the_date_of_an_answer_is_renewed(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a server that ticks fast,
    monkeypatch.setattr(http_server, "TICK", 0.05)
    it = HttpServer(FastAPI(), listening)
    it.start()

    def date() -> str:
        return httpx.get(address(listening)).headers["date"]

    # When time goes by, Then its answers say so.
    first, deadline = date(), time.monotonic() + 60
    while date() == first and time.monotonic() < deadline:
        it._thread.join(0.1)
    assert date() != first
    it.stop(30.0)
