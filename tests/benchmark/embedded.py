"""What a person feels of the embedded default: how soon it answers, and what it costs at rest.

    python -m tests.benchmark.embedded [--write]

Each figure is of the program as people start it, a process. The seconds on the clock are those
of this machine and of what else it does; the processor's seconds depend on the machine alone.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from infra.composition import service_names, topology
from shared.host.settings import Settings
from shared.messaging.topology.declare import apply
from tests.benchmark.report import equipment
from tests.servers.postgres import Databases, start_postgres
from tests.servers.premises import free_ports
from tests.servers.rabbitmq import start_rabbitmq

RESULTS = Path(__file__).parent / "EMBEDDED.md"
PROGRAM = Path(sys.executable).with_name("stappenplan")

TIMES = 5
CUSTOMERS = 100
SETTLED = 7.0
"""Seconds after which a process that has just started is at rest."""
AT_REST = 30.0
PATIENCE = 60.0


@dataclass(frozen=True)
class Start:
    """One start, in seconds: on the clock, and of the processor."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Demo:
    """One demonstration."""

    seconds: float
    arrived: bool
    steps_told: int


@dataclass(frozen=True)
class Measured:
    """What one run found; `idle` are percentages of one processor."""

    starts: Mapping[str, Sequence[Start]]
    demo: Demo
    idle: Mapping[str, float]


class Running:
    """`stappenplan run`, from its start until it is ready, and at rest."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        (port,) = free_ports(1)
        self._ready = f"http://127.0.0.1:{port}/readyz"
        began = time.monotonic()
        self._process = subprocess.Popen(
            [PROGRAM, "run"],
            env={**environment, "STAPPENPLAN_HTTP_PORT": str(port)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > began + PATIENCE:
                self.end()
                raise SystemExit("`stappenplan run` does not become ready")
            time.sleep(0.005)  # Far less than what is measured.
        self.start = Start(time.monotonic() - began, self._cpu())

    def _answers(self) -> bool:
        try:
            return httpx.get(self._ready, timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def _cpu(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def idle(self) -> float:
        """How much of one processor it takes at rest, in percent."""
        time.sleep(SETTLED)  # What is measured is a time in which nothing happens.
        before, began = self._cpu(), time.monotonic()
        time.sleep(AT_REST)  # The measured time itself.
        return (self._cpu() - before) / (time.monotonic() - began) * 100

    def end(self) -> None:
        """Stop it, as Ctrl-C would."""
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def measure(folder: Path) -> Measured:
    """Measure everything, one after the other."""
    starts = {
        "ready to serve, on a fresh data folder": [
            started(folder / f"fresh {number}") for number in range(TIMES)
        ],
        "ready to serve, on an existing one": [started(folder / "fresh 0") for _ in range(TIMES)],
        "`stappenplan --help`": [helped(folder) for _ in range(TIMES)],
    }
    say("  the demonstration")
    demo = demonstrated(folder / "demo")
    say("  at rest")
    idle = {"the embedded default": at_rest(environment(folder / "idle"))}
    with servers() as settings:
        idle["RabbitMQ and PostgreSQL"] = at_rest(environment(folder / "servers", settings))
    return Measured(starts, demo, idle)


def started(data_dir: Path) -> Start:
    """Start all services, and stop them once they are ready."""
    running = Running(environment(data_dir))
    running.end()
    say(f"  ready after {running.start.wall:.2f} s, {running.start.cpu:.2f} s of the processor")
    return running.start


def helped(folder: Path) -> Start:
    """Ask for help."""
    began, before = time.monotonic(), os.times()
    subprocess.run([PROGRAM, "--help"], env=environment(folder), capture_output=True, check=True)
    after = os.times()
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    return Start(time.monotonic() - began, cpu)


def demonstrated(data_dir: Path) -> Demo:
    """Have customers go through all seven steps, and see that each step is told."""
    began = time.monotonic()
    answer = subprocess.run(
        [PROGRAM, "demo", "--customers", str(CUSTOMERS)],
        env=environment(data_dir),
        capture_output=True,
        text=True,
        check=False,
    )
    told = sum(line.lstrip()[:1].isdigit() and " s  " in line for line in answer.stdout.split("\n"))
    return Demo(time.monotonic() - began, answer.returncode == 0, told)


def at_rest(settings: Mapping[str, str]) -> float:
    """Start all services, and leave them alone."""
    running = Running(settings)
    try:
        return running.idle()
    finally:
        running.end()


@contextmanager
def servers() -> Iterator[Mapping[str, str]]:
    """A private RabbitMQ with the topology and a private PostgreSQL, as settings."""
    rabbitmq, postgres = start_rabbitmq(), start_postgres()
    try:
        apply(topology(Settings()), rabbitmq.url)
        databases = Databases(postgres).make_each(service_names())
        yield {"BROKER_URL": rabbitmq.url, "DATABASE_URL": databases}
    finally:
        rabbitmq.close()
        postgres.close()


def environment(data_dir: Path, settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a process sees whose owner has set nothing but this."""
    kept = {name: value for name, value in os.environ.items() if "STAPPENPLAN" not in name}
    made = {"DATA_DIR": str(data_dir), **(settings or {})}
    return kept | {f"STAPPENPLAN_{name}": value for name, value in made.items()}


def as_markdown(it: Measured) -> str:
    """The page."""
    lines = [
        "# The embedded default",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, on one machine: {equipment()}. "
        "Made by `python -m tests.benchmark.embedded --write`.",
        "",
        f"| {TIMES} times | best | median | of the processor, median |",
        "|---|---|---|---|",
    ]
    for name, starts in it.starts.items():
        wall, cpu = [start.wall for start in starts], [start.cpu for start in starts]
        lines.append(
            f"| {name} | {min(wall):.2f} s | {statistics.median(wall):.2f} s | "
            f"{statistics.median(cpu):.2f} s |"
        )
    arrived = "all logged in" if it.demo.arrived else "not all arrived"
    lines += [
        "",
        f"The demonstration of {CUSTOMERS} customers took {it.demo.seconds:.1f} s from start to "
        f"end; {arrived}, and {it.demo.steps_told} steps were told as they happened.",
        "",
        f"| at rest, during {AT_REST:.0f} s | of one processor |",
        "|---|---|",
        *(f"| {name} | {percent:.2f} % |" for name, percent in it.idle.items()),
        "",
    ]
    return "\n".join(lines)


def say(text: str) -> None:
    """Tell how it goes."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a script's voice.


def main() -> None:
    """Measure and print, and write the page when asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        page = as_markdown(measure(Path(folder)))
    print(page)  # noqa: T201 - a script's result.
    if arguments.write:
        RESULTS.write_text(page)


if __name__ == "__main__":
    main()
