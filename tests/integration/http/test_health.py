"""How a process is: told at once, whatever its requests and its database do."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import httpx
import pytest

from infra.run.http_server import HttpServer
from infra.run.sockets import listen
from infra.run.supervisor import Supervisor
from shared.events.envelope import MAX_BODY_BYTES
from shared.host import health
from shared.host.health import Look, health_app
from shared.host.runtime import Runtime
from shared.host.settings import Settings
from shared.web.app import api_router, create_app
from tests.servers.premises import free_ports, wait_until

WATCHED = ("/healthz", "/readyz", "/metrics")
THREADS = 40
"""As many as serve requests."""


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Lets those go that wait for it."""
    event = threading.Event()
    yield event
    event.set()


def test_a_process_whose_threads_are_all_taken_says_that_it_lives(
    release: threading.Event,
) -> None:
    # Given a process whose every thread for requests is taken,
    router = api_router()
    at_work: list[int] = []

    @router.get("/slow")
    def slow() -> str:
        at_work.append(1)
        release.wait(60)
        return "done"

    listening = listen("127.0.0.1", 0, "HTTP_PORT")
    server = HttpServer(create_app([router, health.health([])], token_key="k" * 40), listening)
    server.start()
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with ThreadPoolExecutor(THREADS + 1) as clients:
        for _ in range(THREADS + 1):
            clients.submit(httpx.get, f"{address}/slow", timeout=60)
        wait_until(lambda: len(at_work) == THREADS, "all are taken", 30)
        # When somebody asks how it is, Then they are answered.
        for path in WATCHED:
            assert httpx.get(f"{address}{path}", timeout=10).status_code == 200
        release.set()
    server.stop(30.0)
    listening.close()


def test_with_a_port_of_its_own_health_is_told_there_alone(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    settings = Settings(data_dir=tmp_path, http_port=0, health_port=port, log_level="error")
    # Given a process with a port for it, When it is asked here and there,
    with Supervisor(settings) as supervisor:
        for path in WATCHED:
            here = httpx.get(f"{supervisor.address}{path}", timeout=10)
            there = httpx.get(f"http://127.0.0.1:{port}{path}", timeout=10)
            # Then it tells there, and nothing else is there.
            assert (here.status_code, there.status_code) == (404, 200)
        assert httpx.get(f"http://127.0.0.1:{port}/api/offices", timeout=10).status_code == 404
        assert supervisor.health_address == f"http://127.0.0.1:{port}"


def test_a_process_answers_before_its_tasks_have_looked_around(tmp_path: Path) -> None:
    # Given a process that starts,
    supervisor = Supervisor(Settings(data_dir=tmp_path, http_port=0, log_level="error"))
    answers: list[httpx.Response] = []
    at_work: list[str] = []

    def look() -> None:
        # When it says that it is ready,
        answers.extend(httpx.get(f"{supervisor.address}{path}", timeout=10) for path in WATCHED)
        at_work.extend(name for runtime in supervisor.runtimes for name in runtime.at_work())

    supervisor.when_ready = look
    with supervisor:
        # Then it is, and lives; nobody had to wait for the first round of any task,
        assert [answer.status_code for answer in answers] == [200] * len(WATCHED)
        assert at_work == []
        # and all of them are at work from then on.
        for runtime in supervisor.runtimes:
            assert len(runtime.at_work()) == len(runtime._threads) > 0


def test_a_port_that_is_set_to_nothing_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAPPENPLAN_HEALTH_PORT", "")
    assert Settings().health_port == 0


def test_all_who_ask_at_one_moment_share_a_look() -> None:
    looks: list[float] = []

    def slowly() -> int:
        looks.append(time.monotonic())
        threading.Event().wait(0.05)
        return 7

    async def ask() -> list[int]:
        look = Look(slowly)
        return [*await asyncio.gather(*(look.take() for _ in range(100))), await look.take()]

    assert asyncio.run(ask()) == [7] * 101
    assert len(looks) == 1


def test_a_database_that_hangs_is_told_and_not_waited_for(
    release: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a process whose looks never come back,
    monkeypatch.setattr(health, "PATIENCE", 0.1)

    def hang(_: object) -> dict[str, list[str]]:
        release.wait(60)
        return {}

    class Hanging:
        """A service without threads, whose database hangs."""

        service = SimpleNamespace(name="billing")
        healthy, broker_silent = staticmethod(lambda: True), staticmethod(lambda: False)

    monkeypatch.setattr(health, "not_ready_reasons", hang)
    monkeypatch.setattr(health, "_exposition", hang)
    app = health_app([cast(Runtime, Hanging())])

    async def ask(path: str) -> int:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return (await client.get(path)).status_code

    async def ask_all() -> list[int]:
        return [await ask(path) for path in (*WATCHED, *WATCHED)]

    # When it is asked how it is, Then it answers, again and again.
    assert asyncio.run(ask_all()) == [200, 503, 503, 200, 503, 503]
    release.set()


def test_the_port_for_health_reads_no_more_than_any_other() -> None:
    # Given the port of its own, When somebody sends more than any request may have,
    async def ask(path: str, content: bytes) -> httpx.Response:
        transport = httpx.ASGITransport(health_app([]))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.request("GET", path, content=content)

    for path in ("/healthz", "/nothing"):
        # Then it is refused; and what is answered is no more to be guessed at than elsewhere.
        assert asyncio.run(ask(path, b"1" * (MAX_BODY_BYTES + 1))).status_code == 413
        assert asyncio.run(ask(path, b"")).headers["X-Content-Type-Options"] == "nosniff"
