"""Who is measured over HTTP: our services, with their mails or without, and the bare routes."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg

from infra.demo.simulators.website import signups
from services.activation.login.passwords import hash_own
from shared.web.auth import issue_token
from tests.benchmark.embedded import environment
from tests.benchmark.http_client import request
from tests.benchmark.paying_customers import libpq
from tests.benchmark.roster import ROOT
from tests.servers.premises import free_ports, wait_until

PROGRAM = Path(sys.executable).with_name("stappenplan")
REQUESTS = 600
"""Of each call in each turn."""
SLOW_REQUESTS = 200
"""Of those that take long: a sign-up, a page of a list, the hash of a password."""
SHIPPED = 12
"""The examples that come first show odd cases; what is measured is an ordinary sign-up."""
LISTED = 100_000
"""Customers in the list of all."""
PASSWORD = "een paard dat geduldig nietjes telt"
MOST_LOG_INS = 16
"""Connections: of one address no more than 32 log-ins wait at a time, by design."""

COPIES = """
INSERT INTO activation SELECT (jsonb_populate_record(one, jsonb_build_object(
    'onboarding_id', gen_random_uuid()::text, 'heard_at', now() - n * interval '1 minute',
    'reference', 'S-2020-' || lpad(n::text, 6, '0'), 'company', 'Bakkerij ' || n))).*
FROM (SELECT a FROM activation a LIMIT 1) copied (one), generate_series(1, %s) n
"""
CUSTOMER = """
UPDATE activation SET login_name = 'klant', state = 'active', own_hash = %s, first_login_at = now()
WHERE reference = 'S-2020-000001'
"""
BARE_COPIES = """
INSERT INTO bare_onboarding SELECT (jsonb_populate_record(one, jsonb_build_object(
    'onboarding_id', gen_random_uuid()::text, 'heard_at', now() - n * interval '1 minute',
    'reference', 'S-2020-' || lpad(n::text, 6, '0'), 'company', 'Bakkerij ' || n))).*
FROM (SELECT b FROM bare_onboarding b LIMIT 1) copied (one), generate_series(1, %s) n
"""
BARE_CUSTOMER = """
UPDATE bare_onboarding SET login_name = 'klant', own_hash = %s
WHERE onboarding_id = (SELECT onboarding_id FROM bare_onboarding LIMIT 1)
"""
BARE_KEY = "a key of the bare routes, which is long enough for HS256"


@dataclass(frozen=True)
class Call:
    """One call: the status of its answer, its requests, and over how many connections at most."""

    status: int
    requests: Sequence[bytes]
    most_connections: int = 1_000


class Side:
    """One of those that are measured: where it answers, and what it wants as a token."""

    def __init__(
        self, pid: int, port: int, token: str = "", at_rest: Callable[[], bool] = lambda: True
    ) -> None:
        self.pid, self.port, self.token = pid, port, token
        self._at_rest = at_rest
        self._bodies = _bodies()
        self._ids: list[str] = []

    def prepare(self) -> None:
        """Have some customers there, to be looked up."""
        headers = self._identity() | {"Content-Type": "application/json"}
        for _ in range(50):
            answer = httpx.post(
                f"http://127.0.0.1:{self.port}/api/signups",
                content=next(self._bodies),
                headers=headers,
            )
            self._ids.append(str(answer.raise_for_status().json()["onboarding_id"]))
        wait_until(self._shown, "the last customer can be looked up")

    def rest(self) -> None:
        """Wait until nothing is left to do: it would burden whoever is measured next."""
        wait_until(self._at_rest, "all mails are sent", 300)

    def calls(self) -> Mapping[str, Call]:
        """What is measured, and how often."""
        look_up = [f"/api/onboardings/{self._ids[n % 50]}" for n in range(REQUESTS)]
        submit = [next(self._bodies) for _ in range(SLOW_REQUESTS)]
        identity = json.dumps({"login_name": "klant", "password": PASSWORD}).encode()
        listed = request("GET", "/api/onboardings", token=self.token)
        return {
            "`GET /healthz`": Call(200, [request("GET", "/healthz")] * REQUESTS),
            "`GET /api/onboardings/{id}`": Call(
                200, [request("GET", path, token=self.token) for path in look_up]
            ),
            "`GET /api/onboardings`": Call(200, [listed] * SLOW_REQUESTS),
            "`POST /api/login`": Call(
                200, [request("POST", "/api/login", identity)] * SLOW_REQUESTS, MOST_LOG_INS
            ),
            "`POST /api/signups`": Call(
                202, [request("POST", "/api/signups", body, self.token) for body in submit]
            ),
        }

    def _shown(self) -> bool:
        url = f"http://127.0.0.1:{self.port}/api/onboardings/{self._ids[-1]}"
        return httpx.get(url, headers=self._identity()).status_code == 200

    def _identity(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def _bodies() -> Iterator[bytes]:
    """Sign-ups of ordinary customers, no two of them alike."""
    for number, document in enumerate(signups(1_000_000, seed=3)):
        if number >= SHIPPED:
            document["data"]["customer"]["kvk"] = f"{10_000_000 + number:08d}"
            yield json.dumps(document["data"]).encode()


@contextmanager
def stappenplan(
    settings: Mapping[str, str], folder: Path, *, apart: bool, listed: int = LISTED
) -> Iterator[Side]:
    """Sign-up and activation in one process, as the checklist needs both.

    Set `apart`, another process makes and sends the mails. `listed` customers are there before.
    """
    (port,) = free_ports(1)
    generous = {"SIGNUPS_PER_OFFICE_HOUR": "1000000", "SIGNUPS_PER_ADDRESS_HOUR": "1000000"}
    own = environment(folder, {**settings, **generous, "HTTP_PORT": str(port)})
    for words in (["db", "upgrade"], _office()):
        subprocess.run([PROGRAM, *words], env=own, check=True, stdout=subprocess.DEVNULL)
    scopes = ["--scope", "signup:submit", "--scope", "onboardings:read", "--office", "0042"]
    token = subprocess.run(
        [PROGRAM, "token", "create", *scopes], env=own, check=True, capture_output=True, text=True
    ).stdout.strip()
    command = [PROGRAM, "run", "signup", "activation"]
    database = libpq(settings["DATABASE_URL"])
    with ExitStack() as running:
        if apart:
            (other,) = free_ports(1)
            deliver = own | {"STAPPENPLAN_HTTP_PORT": str(other)}
            running.enter_context(process([*command, "--only", "deliver"], deliver, other))
            command += ["--only", "consume"]
        pid = running.enter_context(process(command, own, port))
        side = Side(pid, port, token, lambda: _mails_left(database.format(service="signup")) == 0)
        side.prepare()
        with psycopg.connect(database.format(service="activation")) as line:
            line.execute(COPIES, [listed])
            line.execute(CUSTOMER, [hash_own(PASSWORD)])
        yield side


def _mails_left(dsn: str) -> int:
    with psycopg.connect(dsn) as line:
        query = "SELECT count(*) FROM notification WHERE status <> 'sent'"
        return int((line.execute(query).fetchone() or [0])[0])


def _office() -> list[str]:
    named = ["--name", "Kantoor Voorbeeld", "--email", "k@voorbeeld.example"]
    return ["office", "add", "0042", *named]


@contextmanager
def bare(database_url: str, folder: Path, *, listed: int = LISTED) -> Iterator[Side]:
    """The bare routes, served by the same uvicorn."""
    (port,) = free_ports(1)
    own = environment(folder) | {
        "BENCH_DATABASE_URL": database_url.format(service="signup"),
        "BENCH_TOKEN_KEY": BARE_KEY,
        "PYTHONPATH": str(ROOT),
    }
    module = "tests.benchmark.contenders.bare_fastapi:app"
    words = ["-m", "uvicorn", module, "--port", str(port), "--no-access-log"]
    with process([sys.executable, *words], own, port) as pid:
        scopes = ["signup:submit", "onboardings:read"]
        side = Side(pid, port, issue_token(BARE_KEY, scopes, known=scopes, office="0042"))
        side.prepare()
        with psycopg.connect(libpq(own["BENCH_DATABASE_URL"])) as line:
            line.execute(BARE_COPIES, [listed])
            line.execute(BARE_CUSTOMER, [hash_own(PASSWORD)])
        yield side


@contextmanager
def process(command: Sequence[object], env: Mapping[str, str], port: int) -> Iterator[int]:
    """A process that answers on this port, ended afterwards; its id."""
    running = subprocess.Popen(
        [str(word) for word in command],
        env=dict(env),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: _answers(port), f"port {port} answers")
        yield running.pid
    finally:
        running.terminate()
        running.wait(30)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    except httpx.TransportError:
        return False
