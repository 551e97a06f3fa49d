"""Stappenplan as it runs for real, on each combination of broker, database and processes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from infra.composition import KING, service_names, topology
from infra.demo.playground.first_run import FirstRun
from infra.demo.simulators.king import KingBilling
from infra.run.runtimes import BusFactory
from infra.run.supervisor import Supervisor
from shared.host.requests import Clock
from shared.host.runtime import Runtime, utc_now
from shared.host.settings import Settings
from shared.messaging.bus import Bus, Incoming, Outgoing, PublishResult
from shared.messaging.topology.declare import apply
from shared.persistence.database import Database
from tests.e2e.clock import StandingClock
from tests.scopes import token_for
from tests.servers.premises import free_ports, wait_until

OFFICE = {
    "name": "Administratiekantoor Voorbeeld",
    "email": "kantoor@voorbeeld.example",
    "language": "nl",
    "review": "flagged",
    "pays_for_customers": "yes",
}


@dataclass
class Stage:
    """A running Stappenplan: where its services listen, and a line to its broker."""

    settings: Settings
    addresses: Mapping[str, str]
    line: Bus
    simulator: KingBilling | None
    log: Path
    http: dict[str, httpx.Client] = field(default_factory=dict)
    clock: Clock = utc_now
    runtimes: Sequence[Runtime] = ()
    customers: int = 0
    """How many have filled in a form: each resembles no other, whoever made him."""

    @property
    def key(self) -> str:
        """The key that signs its tokens."""
        return self.settings.signing_key()

    @property
    def king(self) -> KingBilling:
        """KING's stand-in, on a stage that has one."""
        assert self.simulator is not None, "nobody plays KING here"
        return self.simulator

    def ask(self, method: str, service: str, path: str, **rest: Any) -> httpx.Response:
        """Call one service as somebody who may do anything."""
        token = token_for(self.key)
        headers = {"Authorization": f"Bearer {token}"}
        if service not in self.http:
            self.http[service] = httpx.Client(base_url=self.addresses[service], timeout=30)
        return self.http[service].request(method, path, headers=headers, **rest)

    def open_office(self, code: str = "0042", **changes: Any) -> None:
        """Have KING's back office enter an accounting office."""
        answer = self.ask("PUT", "signup", f"/api/offices/{code}", json=OFFICE | changes)
        assert answer.status_code == 200, answer.text

    def onboarding(self, onboarding_id: str) -> dict[str, Any] | None:
        """One customer's checklist, or None while nobody has heard of him."""
        answer = self.ask("GET", "activation", f"/api/onboardings/{onboarding_id}")
        return answer.json() if answer.status_code == 200 else None

    def done(self, onboarding_id: str) -> list[str]:
        """The steps of the plan that this customer has behind him."""
        checklist = self.onboarding(onboarding_id) or {"steps": []}
        return [step["step"] for step in checklist["steps"] if step["status"] == "done"]

    def blockers(self, onboarding_id: str) -> list[str]:
        """What this customer waits for."""
        checklist = self.onboarding(onboarding_id) or {"blockers": []}
        return [blocker["code"] for blocker in checklist["blockers"]]

    def let_pass(self, time: timedelta) -> None:
        """Move on the clock of a stage whose clock stands; what has become due is done."""
        assert isinstance(self.clock, StandingClock), "this stage goes by the clock on the wall"
        self.clock.let_pass(time)
        for runtime in self.runtimes:
            runtime.wake()

    def databases(self) -> dict[str, Database]:
        """A connection of the test's own to every service's database."""
        return {name: Database(self.settings.database_url_of(name)) for name in service_names()}


class OfficeWebsites:
    """The websites of several offices, each under its own user of the broker; they hear nothing."""

    def __init__(self, with_login: Callable[[str], Settings]) -> None:
        self._with_login = with_login
        self._lines: dict[str, Bus] = {}

    def publish(self, messages: Sequence[Outgoing]) -> "Future[list[PublishResult]]":
        """Each sign-up by the website of its office."""
        together: Future[list[PublishResult]] = Future()
        futures = [self._line(message).publish([message]) for message in messages]
        together.set_result([result for future in futures for result in future.result(30)])
        return together

    def _line(self, message: Outgoing) -> Bus:
        user = f"website-{json.loads(message.body)['data']['office_code']}"
        if user not in self._lines:
            self._lines[user] = BusFactory(self._with_login(user)).bus(user, consume=False)
            self._lines[user].open()
        return self._lines[user]

    def open(self) -> None: ...

    def receive(self, limit: int, wait: float, linger: float) -> list[Incoming]:
        return []

    def acknowledge(self, messages: Sequence[Incoming]) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def interrupt(self) -> None: ...

    def healthy(self) -> bool:
        return True

    def trouble(self) -> str:
        return ""

    def silent_for(self) -> float:
        return 0.0

    def close(self) -> None:
        for line in self._lines.values():
            line.close()


@contextmanager
def one_process(
    settings: Settings,
    *,
    simulate_king: bool = True,
    clock: Clock | None = None,
    first_run: bool = False,
) -> Iterator[Stage]:
    """All services in this process, as `stappenplan run` has them; `first_run` with its page."""
    if not settings.embedded:
        apply(topology(settings), settings.broker_url)
    supervisor = Supervisor(settings, clock=clock)
    king = KingBilling(supervisor.buses.bus(KING.name)) if simulate_king else None
    if king is not None:
        supervisor.accompany(king)
    if first_run:
        supervisor.extend(FirstRun(supervisor, king))
    with supervisor:
        everywhere = dict.fromkeys(service_names(), supervisor.address)
        line = supervisor.buses.bus("website", consume=False)
        line.open()
        log = settings.data_dir / "no-log"
        stage = Stage(
            supervisor.settings,
            everywhere,
            line,
            king,
            log,
            clock=clock or utc_now,
            runtimes=supervisor.runtimes,
        )
        yield from _with_office(stage)


@contextmanager
def four_processes(
    settings: Settings, login: Callable[[str], str] | None = None
) -> Iterator[Stage]:
    """Every service in a process of its own, as `stappenplan run SERVICE` starts them.

    `login` gives the broker's address for each user, where everybody has one of his own and the
    broker has imported the definitions already.
    """
    if login is None:
        apply(topology(settings), settings.broker_url)
    log = settings.data_dir / "processes.log"
    ports = dict(zip(service_names(), free_ports(4), strict=True))

    def with_login(user: str) -> Settings:
        address = settings.broker_url if login is None else login(user)
        return settings.model_copy(update={"broker_url": address})

    line: Bus | OfficeWebsites = (
        OfficeWebsites(with_login)
        if login is not None
        else BusFactory(settings).bus("website", consume=False)
    )
    line_of_king = BusFactory(with_login(KING.name)).bus(KING.name)
    king = KingBilling(line_of_king, strict=settings.strict_publishers)
    addresses = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    with log.open("wb") as output:
        processes = [_start(name, port, with_login(name), output) for name, port in ports.items()]
        try:
            for name, process in zip(ports, processes, strict=True):
                wait_until(lambda: _ready(addresses[name], process), f"{name} is ready")  # noqa: B023
            line.open()
            king.start()
            yield from _with_office(Stage(settings, addresses, line, king, log))
        finally:
            king.stop()
            for process in processes:
                process.send_signal(signal.SIGTERM)
            codes = [process.wait(timeout=30) for process in processes]
    assert codes == [0, 0, 0, 0], f"a process did not end in good order: {log.read_text()[-3000:]}"


def _with_office(stage: Stage) -> Iterator[Stage]:
    stage.open_office()
    try:
        yield stage
    finally:
        for client in stage.http.values():
            client.close()
        stage.line.close()


def _start(name: str, port: int, settings: Settings, output: Any) -> "subprocess.Popen[bytes]":
    env = {
        **os.environ,
        "STAPPENPLAN_BROKER_URL": settings.broker_url,
        "STAPPENPLAN_DATABASE_URL": settings.database_url,
        "STAPPENPLAN_DATA_DIR": str(settings.data_dir),
        "STAPPENPLAN_HTTP_PORT": str(port),
        "STAPPENPLAN_PUBLIC_URL": settings.public_url,
        "STAPPENPLAN_LOG_LEVEL": "debug",
        "STAPPENPLAN_STRICT_PUBLISHERS": str(settings.strict_publishers),
    }
    command = [str(Path(sys.executable).with_name("stappenplan")), "run", name]
    return subprocess.Popen(command, env=env, stdout=output, stderr=output)


def _ready(address: str, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None, "a service ended before it was ready"
    try:
        return httpx.get(f"{address}/readyz").status_code == 200
    except httpx.TransportError:
        return False
