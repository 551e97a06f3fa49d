"""The main calls over HTTP, beside bare FastAPI routes that do the same inserts by hand.

    python -m tests.benchmark.http_calls [--write]

Both run on the same PostgreSQL, turn and turn about; the client keeps its connections. What is
to be relied upon are the ratios of one run.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from infra.demo.simulators.website import signups
from tests.benchmark.embedded import environment, say, servers
from tests.benchmark.http_client import Pace, measure, request
from tests.benchmark.report import equipment
from tests.benchmark.roster import ROOT
from tests.servers.premises import free_ports, wait_until

RESULTS = Path(__file__).parent / "HTTP.md"
PROGRAM = Path(sys.executable).with_name("stappenplan")
OURS, BARE = "Stappenplan", "bare FastAPI"
CONNECTIONS = (1, 16)
ROUNDS = 3
REQUESTS = 600
"""Of each call in each turn."""
SHIPPED = 12
"""The examples that come first show odd cases; what is measured is an ordinary sign-up."""


class Side:
    """One of the two that are measured: where it answers, and what it wants as a token."""

    def __init__(self, port: int, token: str = "") -> None:
        self.port, self.token = port, token
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

    def calls(self) -> Mapping[str, tuple[int, Sequence[bytes]]]:
        """Each call: the status of its answer, and so many requests."""
        look_up = [f"/api/onboardings/{self._ids[n % 50]}" for n in range(REQUESTS)]
        submit = [next(self._bodies) for _ in range(REQUESTS)]
        return {
            "`GET /healthz`": (200, [request("GET", "/healthz")] * REQUESTS),
            "`GET /api/onboardings/{id}`": (
                200,
                [request("GET", path, token=self.token) for path in look_up],
            ),
            "`POST /api/signups`": (
                202,
                [request("POST", "/api/signups", body, self.token) for body in submit],
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


def run(sides: Mapping[str, Side]) -> dict[tuple[str, int, str], list[Pace]]:
    """Measure each call at each number of connections, turn and turn about."""
    paces: dict[tuple[str, int, str], list[Pace]] = {}
    for number in range(1, ROUNDS + 1):
        say(f"round {number} of {ROUNDS}")
        for connections in CONNECTIONS:
            for name, side in sides.items():
                for call, (status, requests) in side.calls().items():
                    pace = measure(side.port, requests, connections, status)
                    paces.setdefault((call, connections, name), []).append(pace)
    return paces


@contextmanager
def stappenplan(settings: Mapping[str, str], folder: Path) -> Iterator[Side]:
    """Sign-up and activation in one process, as the checklist needs both."""
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
    with _process(command, own, port):
        yield Side(port, token)


def _office() -> list[str]:
    return [
        "office",
        "add",
        "0042",
        "--name",
        "Kantoor Voorbeeld",
        "--email",
        "k@voorbeeld.example",
    ]


@contextmanager
def bare(database_url: str, folder: Path) -> Iterator[Side]:
    """The bare routes, served by the same uvicorn."""
    (port,) = free_ports(1)
    own = environment(folder) | {
        "BENCH_DATABASE_URL": database_url.replace("{service}", "signup"),
        "PYTHONPATH": str(ROOT),
    }
    module = "tests.benchmark.contenders.bare_fastapi:app"
    words = ["-m", "uvicorn", module, "--port", str(port), "--no-access-log"]
    with _process([sys.executable, *words], own, port):
        yield Side(port)


@contextmanager
def _process(command: Sequence[object], env: Mapping[str, str], port: int) -> Iterator[None]:
    process = subprocess.Popen(
        [str(word) for word in command],
        env=dict(env),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: _answers(port), f"port {port} answers")
        yield
    finally:
        process.terminate()
        process.wait(30)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def as_markdown(paces: Mapping[tuple[str, int, str], Sequence[Pace]]) -> str:
    """The page: medians of the rounds, and the ratio of answers a second."""
    lines = [
        "# Over HTTP",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {ROUNDS} rounds, turn and turn about, on one machine: "
        f"{equipment()}. Made by `python -m tests.benchmark.http_calls --write`.",
        "",
        f"{REQUESTS} requests a turn over kept connections; beside them a bare FastAPI route that "
        "does the same inserts by hand, without tokens, rules, ids or events.",
        "",
        "| call | connections | answers/s | p50 | p95 | bare: answers/s | p50 | p95 | ratio |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for call, connections, name in paces:
        if name == OURS:
            ours = _median(paces[call, connections, OURS])
            other = _median(paces[call, connections, BARE])
            ratio = ours.per_second / other.per_second
            cells = [call, str(connections), *_cells(ours), *_cells(other), f"{ratio:.2f}"]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _median(paces: Sequence[Pace]) -> Pace:
    return Pace(
        statistics.median(pace.per_second for pace in paces),
        statistics.median(pace.p50 for pace in paces),
        statistics.median(pace.p95 for pace in paces),
    )


def _cells(pace: Pace) -> list[str]:
    return [f"{pace.per_second:,.0f}", f"{pace.p50:.1f} ms", f"{pace.p95:.1f} ms"]


def main() -> None:
    """Measure and print, and write the page when asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = stack.enter_context(servers())
        sides = {
            OURS: stack.enter_context(stappenplan(settings, folder / "ours")),
            BARE: stack.enter_context(bare(settings["DATABASE_URL"], folder / "bare")),
        }
        for side in sides.values():
            side.prepare()
        page = as_markdown(run(sides))
    print(page)  # noqa: T201 - a script's result.
    if arguments.write:
        RESULTS.write_text(page)


if __name__ == "__main__":
    main()
