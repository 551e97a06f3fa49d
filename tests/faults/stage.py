"""The services as real processes under real load, while a test breaks what they stand on.

Each test of a fault has the same shape: sign-ups keep coming in, the fault comes and goes, and in
the end the ledger is made up: nothing lost, nothing doubled.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from infra.composition import service_names, topology
from infra.run.runtimes import BusFactory
from shared.host.settings import Settings
from shared.messaging.topology.declare import apply
from tests.crashes.ledger import Ledger, await_settled
from tests.faults.books import Books
from tests.faults.load import ALL_THE_WAY, Load
from tests.faults.proxy import Proxy
from tests.scopes import token_for
from tests.servers.premises import LOOPBACK, free_ports, wait_until

OFFICE = {
    "name": "Administratiekantoor Voorbeeld",
    "email": "kantoor@voorbeeld.example",
    "language": "nl",
    "review": "flagged",
}
STAPPENPLAN = Path(sys.executable).with_name("stappenplan")


class Stage:
    """Running services, the load on them, and the books to look through afterwards."""

    def __init__(
        self,
        near: Settings,
        reached_by: Mapping[str, str],
        crew: Sequence[Sequence[str]],
        most: int,
        program: Sequence[str | Path],
    ) -> None:
        """`near` is how the test reaches broker and databases, `reached_by` how the services do."""
        self._program = program
        self.settings = near
        self._environment = {
            **os.environ,
            "STAPPENPLAN_BROKER_URL": near.broker_url,
            "STAPPENPLAN_DATABASE_URL": near.database_url,
            "STAPPENPLAN_DATA_DIR": str(near.data_dir),
            **{f"STAPPENPLAN_{name}": value for name, value in reached_by.items()},
        }
        self.log = near.data_dir / "processes.log"
        ports = free_ports(len(crew))
        self._crew = dict(zip(ports, crew, strict=True))
        self.processes: dict[int, subprocess.Popen[bytes]] = {}
        self.books = Books(near)
        self._lines = BusFactory(near)
        self.line = self._lines.bus("website", consume=False)
        self.load = Load(self.line, most, self.books.arrived)
        self.proxy: Proxy
        """What stands between the services and a server, if a test has put something there."""

    # The services.

    def start(self) -> None:
        """Start every process and wait until all are ready."""
        for port in self._crew:
            self.start_process(port)
        for port in self._crew:
            wait_until(lambda: self.ready(port), "the services are ready", ALL_THE_WAY)  # noqa: B023
        self.line.open()

    def start_process(self, port: int) -> None:
        """Start the process that listens on this port."""
        with self.log.open("ab") as log:
            self.processes[port] = subprocess.Popen(
                [*self._program, "run", *self._crew[port]],
                env={**self._environment, "STAPPENPLAN_HTTP_PORT": str(port)},
                stdout=log,
                stderr=log,
            )

    def restart_the_dead(self) -> int:
        """Do what an orchestrator does; returns how many processes had died."""
        dead = [port for port, process in self.processes.items() if process.poll() is not None]
        for port in dead:
            self.start_process(port)
        return len(dead)

    def kill(self) -> None:
        """End every process at once, wherever it is in its work."""
        for process in self.processes.values():
            process.kill()
            process.wait()

    def stop(self) -> None:
        """End every process in good order."""
        self.line.close()
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(60) for process in self.processes.values()]
        self.books.close()
        assert not any(codes), f"a process did not end in good order: {self.tail()}"

    def abandon(self) -> None:
        """End whatever is left of a test that failed."""
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()

    def ask(self, path: str, port: int | None = None, **rest: Any) -> httpx.Response:
        """Call a process, the first one by default, as somebody who may do anything."""
        token = token_for(self.settings.signing_key())
        address = f"http://{LOOPBACK}:{port or next(iter(self._crew))}{path}"
        rest.setdefault("method", "GET")
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.request(url=address, headers=headers, timeout=30, **rest)

    def ready(self, port: int | None = None) -> bool:
        """Whether a process says that it can work now."""
        return self._says_ok("/readyz", port)

    def alive(self, port: int | None = None) -> bool:
        """Whether a process says that it lives."""
        return self._says_ok("/healthz", port)

    def _says_ok(self, path: str, port: int | None) -> bool:
        try:
            return self.ask(path, port).status_code == 200
        except httpx.TransportError:
            return False

    def run(self, *words: str) -> str:
        """Run the command line on this stage; returns what it printed; it must succeed."""
        done = self.try_to_run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def try_to_run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run the command line on this stage, whatever comes of it."""
        near = {
            "STAPPENPLAN_BROKER_URL": self.settings.broker_url,
            "STAPPENPLAN_DATABASE_URL": self.settings.database_url,
        }
        return subprocess.run(
            [STAPPENPLAN, *words],
            env={**self._environment, **near, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def told(self, word: str) -> bool:
        """Whether a process has written this in its log."""
        return word in self.log.read_text()

    def tail(self) -> str:
        """The end of what the processes wrote, without the mails."""
        mails = ("mail_written", "notification_sent")
        written = self.log.read_text().splitlines()
        lines = [line for line in written if not any(word in line for word in mails)]
        return "\n".join(lines)[-4000:]

    # The course of a test.

    def flowing(self, more: int = 20) -> None:
        """Wait until so many more sign-ups have gone all the way: there is load now."""
        before = self.books.arrived()
        wait_until(lambda: self.books.arrived() >= before + more, "sign-ups flow", ALL_THE_WAY)

    def recovered(self) -> float:
        """Seconds until a sign-up that is sent now has gone all the way."""
        began = time.monotonic()
        sent = self.load.send_one()
        wait_until(lambda: self.books.has_arrived(sent), "a sign-up went through", ALL_THE_WAY)
        return time.monotonic() - began

    def ledger(self, patience: float = ALL_THE_WAY) -> Ledger:
        """End the load, wait until everything has arrived, and compare all the books."""
        self.load.stop()
        return await_settled(self.settings, self.load.submitted, seconds=patience)


@contextmanager
def on_stage(
    near: Settings,
    *,
    reached_by: Mapping[str, str] | None = None,
    crew: Sequence[Sequence[str]] | None = None,
    most: int = 3000,
    program: Sequence[str | Path] = (STAPPENPLAN,),
) -> Iterator[Stage]:
    """Run the services, one process for all by default, with load until the test ends it."""
    apply(topology(near), near.broker_url)
    stage = Stage(near, reached_by or {}, crew or [service_names()], most, program)
    try:
        stage.start()
        answer = stage.ask("/api/offices/0042", method="PUT", json=OFFICE)
        assert answer.status_code == 200, answer.text
        stage.load.start()
        stage.flowing()
        yield stage
        stage.stop()
    finally:
        stage.abandon()
        print(stage.tail())  # noqa: T201 - pytest shows it with a failure alone.


def new_id() -> str:
    """An id for something that a test makes."""
    return str(uuid4())


def within(seconds: float, ready: Callable[[], bool], what: str) -> float:
    """Wait until it is so; returns how many seconds that took."""
    began = time.monotonic()
    wait_until(ready, what, seconds)
    return time.monotonic() - began
