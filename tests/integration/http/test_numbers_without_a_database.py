"""The numbers of a process whose database is away: what it has, and in time."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from infra.run.runtimes import BusFactory, build_runtimes
from shared.host import health
from shared.host.health import health_app
from shared.host.runtime import Runtime
from shared.host.settings import Settings
from shared.persistence.schema import upgrade
from tests.faults.proxy import Proxy
from tests.servers.postgres import MakeDatabase

IN_TIME = 4.5
"""Seconds; Prometheus gives ten, and what is left out is known after two."""


@pytest.fixture
def way(make_database: MakeDatabase) -> Iterator[tuple[Proxy, str]]:
    """A way to a fresh database, and its address."""
    url = make_database("billing")
    server = urlsplit(url)
    assert server.hostname is not None
    assert server.port is not None
    with Proxy(server.hostname, server.port) as proxy:
        there = server.netloc.rpartition("@")[2]
        yield proxy, url.replace(there, f"127.0.0.1:{proxy.port}")


@pytest.fixture
def runtime(way: tuple[Proxy, str], tmp_path: Path) -> Iterator[Runtime]:
    proxy, url = way
    settings = Settings(database_url=url, data_dir=tmp_path)
    (runtime,) = build_runtimes(settings, BusFactory(settings), ["billing"])
    upgrade(runtime.database, runtime.service.migrations)
    yield runtime
    proxy.reset(refuse=True)
    runtime.database.close()


def test_what_is_known_without_the_database_is_told_in_time(
    runtime: Runtime, way: tuple[Proxy, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, _ = way
    monkeypatch.setattr(health, "LOOK_AGAIN", 0.0)

    async def ask_all() -> tuple[str, str, str, list[float]]:
        app = httpx.ASGITransport(health_app([runtime]))
        async with httpx.AsyncClient(transport=app, base_url="http://here") as client:
            told, seconds = [], []
            # Given a database that answers, then one that falls silent, then one that hangs up,
            for fault in (proxy.passing, proxy.black_hole, lambda: proxy.reset(refuse=True)):
                fault()
                began = time.monotonic()
                # When the numbers are asked for,
                answer = await client.get("/metrics")
                seconds.append(time.monotonic() - began)
                # Then there are some.
                assert answer.status_code == 200
                told.append(answer.text)
            return told[0], told[1], told[2], seconds

    there, silent, gone, seconds = asyncio.run(ask_all())
    assert max(seconds) < IN_TIME
    assert 'stappenplan_database_up{service="billing"} 1.0' in there
    assert 'stappenplan_outbox_unpublished{service="billing"} 0.0' in there
    for away in (silent, gone):
        # What lies in its tables nobody knows now; that it is away, everybody shall.
        assert 'stappenplan_database_up{service="billing"} 0.0' in away
        assert 'stappenplan_ready{service="billing"} 0.0' in away
        assert "stappenplan_outbox_unpublished{" not in away
        assert "# TYPE stappenplan_messages_dead_lettered_total counter" in away
