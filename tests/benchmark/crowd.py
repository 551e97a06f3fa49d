"""What a person notices of very many customers, and of very many events that wait.

    python -m tests.benchmark.crowd [--customers 1000000] [--waiting 100000] [--write]

One process of activation on RabbitMQ and PostgreSQL. The list of all customers is asked for its
first and its last page, and searched by company, while nothing else is done. Then customers are
activated while the process works through a long queue.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg

from shared.messaging.bus import Outgoing, PublishResult
from shared.messaging.rabbitmq import RabbitBus
from tests.benchmark.embedded import environment, say, servers
from tests.benchmark.http_sides import PROGRAM, process
from tests.benchmark.load import GOLDEN
from tests.benchmark.report import equipment
from tests.benchmark.stock import settle
from tests.servers.premises import free_ports, wait_until

RESULTS = Path(__file__).parent / "CROWD.md"
SERVICE = "activation"
ASKED = 60
"""How often each page is asked for, and how many customers are activated."""
PAGE = 100
WAY = (
    "signup.accepted.v1",
    "registration.completed.v1",
    "administration.created.v1",
    "order.confirmation_sent.v1",
    "order.confirmation_signed.v1",
    "customer.released.v1",
)
"""What has happened to a customer who may be activated."""
WAITS = "order.confirmation_sent.v1"
PATIENCE = 600.0
SCOPES = ("onboardings:read", "users:activate")

CUSTOMERS = """
INSERT INTO activation (onboarding_id, facts, office_code, company, heard_at, ready, step, actor,
    blocker, since, reference, customer_number, login_name, login_base, attempt, wrong_tries)
SELECT md5(n::text)::uuid::text, '{}', lpad((n %% 500)::text, 4, '0'), 'Bakkerij ' || n,
    now() - interval '300 days' * n / %(count)s - interval '1 hour', false,
    CASE n %% 50 WHEN 0 THEN 'BEVESTIGEN' ELSE '' END, CASE n %% 50 WHEN 0 THEN 'payer'
    ELSE 'nobody' END, CASE n %% 50 WHEN 0 THEN 'signature_missing' ELSE '' END,
    now() - interval '300 days' * n / %(count)s, 'S-2025-' || n, 'K-' || n, 'klant' || n,
    'klant' || n, 0, 0
FROM generate_series(1, %(count)s) n
"""
TERMS = """
INSERT INTO search_term (id, onboarding_id, office_code, term)
SELECT md5(n::text)::uuid::text || '/' || slot.name, md5(n::text)::uuid::text,
    lpad((n %% 500)::text, 4, '0'), slot.term
FROM generate_series(1, %(count)s) n, LATERAL (VALUES ('company0', 'bakkerij ' || n),
    ('email', 'klant' || n || '@bakkerij.example')) AS slot (name, term)
"""
LAST = "SELECT heard_at, onboarding_id FROM activation ORDER BY heard_at, onboarding_id OFFSET %s"


def happened(event_type: str, subject: str) -> Outgoing:
    """The contract's example of this event, about another customer."""
    document: dict[str, Any] = json.loads((GOLDEN.parent / f"{event_type}.json").read_bytes())
    document |= {"id": str(uuid4()), "subject": subject, "time": datetime.now(UTC).isoformat()}
    body = json.dumps(document).encode()
    return Outgoing(document["id"], event_type, body, queue=SERVICE)


class Office:
    """Whoever asks and acts, by a connection that is kept."""

    def __init__(self, port: int, token: str, dsn: str, broker_url: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60)
        self._dsn, self._broker_url = dsn, broker_url

    def pages(self, count: int) -> Mapping[str, str]:
        """What is asked for: the address of each page."""
        with psycopg.connect(self._dsn) as database:
            moment, key = database.execute(LAST, [PAGE]).fetchone() or ("", "")
        place = json.dumps(["", moment.astimezone(UTC).isoformat(), key]).encode()
        after = urlsafe_b64encode(place).decode().rstrip("=")
        return {
            "the first page": f"/api/onboardings?limit={PAGE}",
            "the last page": f"/api/onboardings?limit={PAGE}&after={after}",
            "a search by company, one found": f"/api/onboardings?q=bakkerij+{count}",
            "a search by company, a page of many": f"/api/onboardings?q=bakkerij&limit={PAGE}",
            "one customer by number": f"/api/onboardings?q=K-{count // 2}",
        }

    def ask(self, path: str) -> list[float]:
        """Milliseconds for each answer; the first, which warms up, is left out."""
        rows = self._http.get(path).raise_for_status().json()
        assert rows, f"nothing found by {path}"
        return [self._timed("GET", path) for _ in range(ASKED)]

    def activate(self, subjects: Sequence[str]) -> list[float]:
        """Milliseconds for each activation."""
        return [
            self._timed("POST", f"/api/activations/{subject}", {"channel": "email"})
            for subject in subjects
        ]

    def may_activate(self, subjects: Sequence[str]) -> bool:
        """Whether all of them are ready."""
        rows = self._http.get("/api/activations", params={"limit": 500}).json()
        return set(subjects) <= {row["onboarding_id"] for row in rows}

    def send(self, events: Iterator[tuple[str, str]]) -> int:
        """Put events on the service's queue, each confirmed; returns how many."""
        bus = RabbitBus(self._broker_url, queue=None, name="load")
        bus.open()
        said = [happened(kind, subject) for kind, subject in events]
        for start in range(0, len(said), 2000):
            part = said[start : start + 2000]
            assert set(bus.publish(part).result(60)) == {PublishResult.CONFIRMED}
        bus.close()
        return len(said)

    def heard(self) -> int:
        """How many events the service has heard of."""
        with psycopg.connect(self._dsn) as database:
            return int((database.execute("SELECT count(*) FROM inbox").fetchone() or [0])[0])

    def _timed(self, method: str, path: str, body: Any = None) -> float:
        began = time.perf_counter()
        self._http.request(method, path, json=body).raise_for_status()
        return 1000 * (time.perf_counter() - began)


def opened(customers: int, stack: ExitStack) -> Office:
    """An office before a service that knows so many customers."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    settings = stack.enter_context(servers())
    (port,) = free_ports(1)
    own = environment(folder, {**settings, "HTTP_PORT": str(port), "LOG_LEVEL": "warning"})
    url = settings["DATABASE_URL"].replace("{service}", SERVICE)
    dsn = url.replace("postgresql+psycopg://", "postgresql://")
    subprocess.run([PROGRAM, "db", "upgrade"], env=own, check=True, capture_output=True)
    words = [word for scope in SCOPES for word in ("--scope", scope)]
    made = [str(PROGRAM), "token", "create", "--all-offices", *words]
    token = subprocess.run(made, env=own, check=True, capture_output=True, text=True).stdout.strip()
    say(f"filling the tables with {customers:,} customers")
    with psycopg.connect(dsn, autocommit=True) as database:
        for statement in (CUSTOMERS, TERMS):
            database.execute(statement, {"count": customers})
    settle(dsn)
    stack.enter_context(process([PROGRAM, "run", SERVICE], own, port))
    return Office(port, token, dsn, settings["BROKER_URL"])


def asking(office: Office, customers: int) -> dict[str, list[float]]:
    """Milliseconds for each page, while nothing else is done."""
    took = {}
    for what, path in office.pages(customers).items():
        took[what] = office.ask(path)
        say(f"  {what:<40} p50 {statistics.median(took[what]):6.1f} ms")
    return took


def activating(office: Office, depth: int) -> dict[str, list[float]]:
    """Milliseconds for each activation, with an empty queue and while a long one is worked off."""
    groups = [[str(uuid4()) for _ in range(ASKED)] for _ in range(2)]
    sent = office.send((kind, who) for group in groups for who in group for kind in WAY)
    wait_until(lambda: all(map(office.may_activate, groups)), "all may be activated", 30)
    took = {"an activation, with an empty queue": office.activate(groups[0])}
    say(f"putting {depth:,} events on the queue")
    sent += office.send((WAITS, str(uuid4())) for _ in range(depth))
    took["an activation, while a long queue is worked off"] = office.activate(groups[1])
    left = sent - office.heard()
    say(f"  {left:,} events still waited when the last was activated")
    assert left > 0, "the queue was empty before the last was activated: send more"
    return took


def as_markdown(took: Mapping[str, Sequence[float]], customers: int, depth: int) -> str:
    """The page."""
    lines = [
        "# A crowd",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, on one machine: {equipment()}. "
        "Made by `python -m tests.benchmark.crowd --write`.",
        "",
        f"Activation knows {customers:,} customers; the long queue has {depth:,} events. Each was "
        f"asked {ASKED} times over a kept connection, as a client sees it.",
        "",
        "| what | p50 | p95 | slowest |",
        "|---|---|---|---|",
    ]
    for what, times in took.items():
        p95 = statistics.quantiles(times, n=20)[-1]
        cells = (f"{at:.1f} ms" for at in (statistics.median(times), p95, max(times)))
        lines.append(f"| {what} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure and print, and write the page when asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--waiting", type=int, default=100_000)
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    asked = parser.parse_args()
    with ExitStack() as stack:
        office = opened(asked.customers, stack)
        took = asking(office, asked.customers) | activating(office, asked.waiting)
    page = as_markdown(took, asked.customers, asked.waiting)
    say(page)
    if asked.write:
        RESULTS.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
