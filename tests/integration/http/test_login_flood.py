"""Four hundred log-ins at once: who watches the process, and its events, notice nothing of them."""

import asyncio
import json
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

from infra.composition import service_names
from shared.host.settings import Settings
from tests.e2e.stage import one_process
from tests.integration.http import flooding
from tests.integration.http.conftest import Api
from tests.integration.http.test_money_and_login import activate, login
from tests.servers.postgres import Databases
from tests.servers.premises import wait_until
from tests.servers.rabbitmq import RabbitMQ

LOGINS = 400
NOTICED = 2.0
"""Seconds after which who watches would think that it hangs; behind the flood it takes far more."""
BOUND = 60


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The embedded default's."""
    return Settings(data_dir=tmp_path, http_port=0, log_level="error")


@pytest.fixture
def api(settings: Settings) -> Iterator[Api]:
    """A process of its own: what is tried here closes no door of another test."""
    with one_process(settings, simulate_king=False) as stage:
        yield Api(stage)


@pytest.fixture
def real_api(
    settings: Settings, rabbitmq: RabbitMQ, databases: Databases, vhost: str
) -> Iterator[Api]:
    """The same on RabbitMQ and PostgreSQL."""
    address = databases.make_each(service_names())
    chosen = {"broker_url": vhost, "database_url": address}
    with one_process(settings.model_copy(update=chosen), simulate_king=False) as stage:
        yield Api(stage)
    for name in service_names():
        databases.drop(address.replace("{service}", name))


def flood(port: int, name: str) -> Counter[int]:
    """All log in at once, from a process of their own; how many were answered what."""
    command = [sys.executable, "-m", flooding.__name__, str(port), name, str(LOGINS)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=BOUND, check=True)
    return Counter(json.loads(run.stdout))


def look(port: int) -> float:
    """How long it takes to be told that the process lives, and whether it can work."""
    began = time.monotonic()
    for path in ("/healthz", "/readyz"):
        line = HTTPConnection("127.0.0.1", port, timeout=BOUND)
        line.request("GET", path)
        assert line.getresponse().status == 200
        line.close()
    return time.monotonic() - began


def watch(port: int, over: threading.Event) -> list[float]:
    """How long each look at the process took, until the flood is over."""
    took = []
    while not over.is_set():
        took.append(look(port))
    return took


@pytest.mark.parametrize("ground", ["api", "real_api"])
@pytest.mark.parametrize("name", ["niemand.hier", "bakkerij"])
def test_a_flood_of_logins_starves_nobody(
    request: pytest.FixtureRequest, ground: str, name: str
) -> None:
    # Given a process that works, and somebody who watches it,
    api: Api = request.getfixturevalue(ground)
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
    # whoever watches is not kept waiting,
    assert statistics.median(took) < NOTICED
    # and events go their way.
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


def test_who_forgot_a_password_is_answered_alike_whoever_they_are(api: Api) -> None:
    # Given a customer, and a name that nobody has,
    name, _ = activate(api, api.release())
    # When it is said that their passwords are forgotten, Then the answers are the same,
    answers = [
        api.call("POST", "/api/password/forgotten", json={"login_name": each})
        for each in (name, "niemand.hier")
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    # and a fresh password goes to the customer.
    folder = api.stage.settings.data_dir / "mail"
    wait_until(lambda: len(list(folder.glob("*password_forgotten*"))) == 1, "it is sent", 10)
