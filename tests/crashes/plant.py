"""Stappenplan as a process of its own, with a website that keeps signing customers up.

What breaks is the process, its broker or its database; the website goes on, and tries again with
what was not taken.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import httpx

from infra.composition import build_services, topology
from infra.demo.simulators import website
from infra.demo.simulators.website import Document
from services.signup.models import Office
from services.signup.service import EXAMPLE
from shared.host.settings import Settings
from shared.messaging.bus import Outgoing, PublishResult
from shared.messaging.rabbitmq import RabbitBus
from shared.messaging.topology.declare import apply
from shared.persistence.database import Database
from shared.persistence.schema import upgrade
from tests.crashes.ledger import SIGNED_UP, Effects, Ledger, await_settled
from tests.scopes import token_for
from tests.servers.premises import LOOPBACK, wait_until

ROOT = Path(__file__).parents[2]
READY = 60.0
"""Seconds for a process to be ready, on a machine that has other things to do."""


def signups(count: int, seed: int = 11) -> list[Document]:
    """So many sign-ups in which nothing is flagged: the shipped examples are left out."""
    shipped = len(website.examples())
    return list(islice(website.signups(shipped + count, seed=seed), shipped, None))


@dataclass
class Plant:
    """All services in one process, and everything that was submitted to them."""

    settings: Settings
    submitted: dict[str, str] = field(default_factory=dict)
    """What was taken: the ids of events, each with its onboarding id."""
    processes: "list[subprocess.Popen[bytes]]" = field(default_factory=list)
    king: bool = False
    """Whether a stand-in collects whatever is requested."""

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://{LOOPBACK}:{self.settings.http_port}"

    @property
    def log(self) -> Path:
        """What its processes said."""
        return self.settings.data_dir / "plant.log"

    def start(
        self, deed: str = "spare", point: str = "-", nth: int = 0
    ) -> "subprocess.Popen[bytes]":
        """Start the process, to `kill` itself, `hang` or `pause` at its nth pass of a point."""
        command = [sys.executable, "-m", "tests.crashes.armed", deed, point, str(nth), "run"]
        command += ["--simulate-king"] if self.king else []
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment(), stdout=log, stderr=log
            )
        self.processes.append(process)
        return process

    def await_ready(self) -> None:
        """Wait until the newest process takes work."""
        process = self.processes[-1]

        def ready() -> bool:
            assert process.poll() is None, f"it ended by itself: {self.log.read_text()[-3000:]}"
            with suppress(httpx.TransportError):
                return httpx.get(f"{self.address}/readyz", timeout=5).status_code == 200
            return False

        wait_until(ready, "the process is ready", READY)

    def ask(self, method: str, path: str, scope: str, **rest: Any) -> httpx.Response:
        """Call it as somebody with this scope."""
        token = token_for(self.settings.signing_key(), scope)
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.request(method, f"{self.address}{path}", headers=headers, timeout=30, **rest)

    @contextmanager
    def load(self, count: int, *, group: int = 4, pause: float = 0.02) -> Iterator[None]:
        """So many sign-ups, group after group, each until it is taken; ends when all are.

        They begin at once and go on while the block runs.
        """
        website_thread = _Website(self, signups(count), group, pause)
        website_thread.start()
        try:
            yield
        finally:
            website_thread.join(120)
        assert website_thread.done, "the website could not get rid of its sign-ups"

    def await_settled(self, expected: Effects = SIGNED_UP, seconds: float = 90) -> Ledger:
        """Wait until everything submitted has had its effects, and read the ledger."""
        return await_settled(self.settings, self.submitted, expected, seconds)

    def stop(self) -> int:
        """End the newest process in good order; its exit code."""
        process = self.processes[-1]
        process.send_signal(signal.SIGTERM)
        return process.wait(60)

    def close(self) -> None:
        """End whatever still runs."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()

    def _environment(self) -> Mapping[str, str]:
        settings = self.settings
        return {
            **os.environ,
            "STAPPENPLAN_BROKER_URL": settings.broker_url,
            "STAPPENPLAN_DATABASE_URL": settings.database_url,
            "STAPPENPLAN_DATA_DIR": str(settings.data_dir),
            "STAPPENPLAN_HTTP_PORT": str(settings.http_port),
        }


class _Website(threading.Thread):
    """An office's website that gives up on no customer."""

    def __init__(self, plant: Plant, documents: list[Document], group: int, pause: float) -> None:
        super().__init__(name="website", daemon=True)
        self._plant = plant
        self._documents = documents
        self._group = group
        self._pause = pause
        self.done = False

    def run(self) -> None:
        """Submit everything, in groups."""
        if self._plant.settings.embedded:
            self._submit_all(self._by_http)
            return
        line = RabbitBus(self._plant.settings.broker_url, queue=None, name="website")
        line.open()
        self._submit_all(partial(_by_broker, line))
        line.close()

    def _submit_all(self, submit: Callable[[list[Document]], bool]) -> None:
        for start in range(0, len(self._documents), self._group):
            group = self._documents[start : start + self._group]
            while not submit(group):
                time.sleep(0.1)
            self._plant.submitted.update(
                {document["id"]: document["subject"] for document in group}
            )
            time.sleep(self._pause)
        self.done = True

    def _by_http(self, group: list[Document]) -> bool:
        try:
            answers = [
                self._plant.ask("POST", "/api/events", "events:emit", json=document)
                for document in group
            ]
        except httpx.TransportError:
            return False
        return all(answer.status_code == 202 for answer in answers)


def _by_broker(line: RabbitBus, group: list[Document]) -> bool:
    messages = [
        Outgoing(document["id"], document["type"], json.dumps(document).encode())
        for document in group
    ]
    return set(line.publish(messages).result(60)) == {PublishResult.CONFIRMED}


def prepare(settings: Settings) -> None:
    """Make the topology, the tables and the example office."""
    if settings.embedded:
        return  # The process sees to it.
    apply(topology(settings), settings.broker_url)
    for service in build_services(settings):
        database = Database(settings.database_url_of(service.name))
        upgrade(database, service.migrations)
        if service.name == "signup":
            with database.begin() as session:
                session.add(Office(**EXAMPLE.model_dump()))
        database.close()
