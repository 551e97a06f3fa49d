"""Four hundred log-ins at once: who watches the process, and its events, notice nothing of them."""

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

from shared.host.settings import Settings
from tests.e2e.stage import one_process
from tests.integration.http.conftest import Api
from tests.integration.http.test_money_and_login import activate, login
from tests.servers.premises import wait_until

LOGINS = 400
SOON = 0.5
BOUND = 60


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """A process of its own: what is tried here closes no door of another test."""
    settings = Settings(data_dir=tmp_path, http_port=0, log_level="error")
    with one_process(settings, simulate_king=False) as stage:
        yield Api(stage)


async def guess(port: int, name: str, everybody: asyncio.Barrier) -> int:
    """Connect, wait for all others, log in; the status of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await everybody.wait()
    body = json.dumps({"login_name": name, "password": "geraden"})
    head = "POST /api/login HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    status = int((await reader.readline()).split()[1])
    writer.close()
    return status


def flood(port: int, name: str) -> Counter[int]:
    """All log in at once; how many were answered what."""

    async def all_at_once() -> list[int]:
        everybody = asyncio.Barrier(LOGINS)
        return await asyncio.gather(*(guess(port, name, everybody) for _ in range(LOGINS)))

    return Counter(asyncio.run(all_at_once()))


def watch(port: int, over: threading.Event) -> list[float]:
    """How long each look at the process took, until the flood is over."""
    took = []
    while not over.is_set():
        for path in ("/healthz", "/readyz"):
            began = time.monotonic()
            line = HTTPConnection("127.0.0.1", port, timeout=BOUND)
            line.request("GET", path)
            assert line.getresponse().status == 200
            line.close()
            took.append(time.monotonic() - began)
    return took


@pytest.mark.parametrize("name", ["niemand.hier", "bakkerij"])
def test_a_flood_of_logins_starves_nobody(api: Api, name: str) -> None:
    # Given a process that works, and somebody who watches it,
    port, over = api.stage.settings.http_port, threading.Event()
    with ThreadPoolExecutor(1) as watcher:
        watching = watcher.submit(watch, port, over)
        # When four hundred strangers guess at once,
        try:
            answers = flood(port, name)
        finally:
            over.set()
        took = watching.result(BOUND)
    # Then each is answered, few get so far as to be compared,
    assert answers.total() == LOGINS
    assert answers.keys() <= {401, 429, 503}
    assert answers[503] > LOGINS / 2
    # whoever watches is answered at once, and events go their way.
    assert sorted(took)[int(len(took) * 0.9)] < SOON
    api.order_of(api.sign_up())


def test_who_finds_the_queue_full_is_told_when_to_come_again(api: Api) -> None:
    async def first_refusal() -> httpx.Response:
        limits = httpx.Limits(max_connections=LOGINS)
        async with httpx.AsyncClient(timeout=BOUND, limits=limits) as strangers:
            body = {"login_name": "niemand", "password": "geraden"}
            posts = [strangers.post(f"{api.address}/api/login", json=body) for _ in range(100)]
            return next(a for a in await asyncio.gather(*posts) if a.status_code == 503)

    refusal = asyncio.run(first_refusal())
    assert refusal.headers["content-type"] == "application/problem+json"
    assert refusal.json()["code"] == "too_busy"
    assert int(refusal.headers["retry-after"]) > 0


def test_a_stranger_elsewhere_does_not_shut_the_customer_out(api: Api) -> None:
    # Given an activated customer, and a stranger at another address who guesses,
    name, password = activate(api, api.release())
    stranger = httpx.HTTPTransport(local_address="127.0.0.9")
    with httpx.Client(base_url=api.address, transport=stranger, timeout=BOUND) as client:
        body = {"login_name": name, "password": "geraden"}
        codes = [client.post("/api/login", json=body).status_code for _ in range(22)]
    assert codes == [401] * 5 + [429] * 17
    # When the customer comes, Then they are let in; they were told of the stranger, once.
    assert login(api, name, password.replace("-", " \u2013 ").upper()).status_code == 200
    folder = api.stage.settings.data_dir / "mail"
    wait_until(lambda: len(list(folder.glob("*login_locked*"))) == 1, "they are told", 10)
