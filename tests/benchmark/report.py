"""The results as a table: medians, the spread, and the ratios that can be relied upon."""

import os
import platform
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.benchmark.roster import PEERS

NOT_PEERS = ("Stappenplan", "Stappenplan, 2 processes")


@dataclass(frozen=True)
class Measured:
    """What one run found."""

    throughput: Mapping[str, Sequence[float]]
    latency: Mapping[str, Sequence[float]]
    settings: Mapping[str, int]
    ceiling: str
    rounds: int

    def median(self, name: str) -> float:
        """The median throughput, in events per second."""
        return statistics.median(self.throughput[name])

    @property
    def best_peer(self) -> str:
        """The fastest of those that others make."""
        peers = [name for name in self.throughput if name not in (*NOT_PEERS, self.ceiling)]
        return max(peers, key=self.median)


def as_markdown(it: Measured) -> str:
    """The page."""
    ours, ceiling, best = "Stappenplan", it.ceiling, it.best_peer
    lines = [
        "# The same work, side by side",
        "",
        machine(it.rounds, "make bench"),
        "",
        "The work: one `signup.accepted.v1` of 1.2 kB is validated, claimed in an inbox, "
        "registered (one business row), and answered by two events, each confirmed by the "
        "broker and routed to its queues; then it is acknowledged. PostgreSQL commits "
        "synchronously, the queues are quorum queues.",
        "",
        "| | concurrency | events/s, median | min–max | of the ceiling | of the best peer |",
        "|---|---|---|---|---|---|",
    ]
    for name, rates in it.throughput.items():
        lines.append(
            f"| {name} | {it.settings.get(name, 1)} | {it.median(name):,.0f} | "
            f"{min(rates):,.0f}–{max(rates):,.0f} | {it.median(name) / it.median(ceiling):.2f} | "
            f"{it.median(name) / it.median(best):.2f} |"
        )
    lines += [
        "",
        f"Stappenplan does {it.median(ours) / it.median(best):.1f} × the best peer ({best}) and "
        f"{it.median(ours) / it.median(ceiling):.2f} of the ceiling; the ceiling itself does "
        f"{it.median(ceiling) / it.median(best):.1f} × that peer. For the hand-written loop the "
        "concurrency is the size of its batches.",
        "",
        "## A lone message",
        "",
        "From publishing to the next event on its queue, at 20 events a second.",
        "",
        "| | p50 | p95 |",
        "|---|---|---|",
    ]
    for name, found in it.latency.items():
        p95 = statistics.quantiles(found, n=20)[-1]
        lines.append(f"| {name} | {statistics.median(found):.1f} ms | {p95:.1f} ms |")
    return "\n".join([*lines, "", f"Peers: {_peers()}.", ""])


def machine(rounds: int, made_by: str) -> str:
    """When it was measured, where, with what and how."""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {rounds} rounds, turn and turn about, on one machine: "
        f"{equipment()}. Made by `{made_by}`."
    )


def equipment() -> str:
    """What it was measured on: the machine, and the versions of what took part."""
    return (
        f"{os.cpu_count()} cores, {_memory()} GiB, Python {platform.python_version()}, {_servers()}"
    )


def _memory() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


def _servers() -> str:
    found = [f"pika {version('pika')}", f"psycopg {version('psycopg')}"]
    for label, pattern in (("RabbitMQ", "rabbitmq_server-*"),):
        homes = sorted(Path("/usr/lib/rabbitmq/lib").glob(pattern))
        found += [f"{label} {home.name.rpartition('-')[2]}" for home in homes[-1:]]
    homes = sorted(Path("/usr/lib/postgresql").glob("*"))
    return ", ".join([*found, *(f"PostgreSQL {home.name}" for home in homes[-1:])])


def _peers() -> str:
    program = (
        "from importlib.metadata import version\n"
        "for name in ('faststream', 'aio-pika', 'celery', 'dramatiq', 'pika', 'psycopg'):\n"
        "    print(name, version(name), sep=' ', end=', ')"
    )
    answer = subprocess.run([PEERS, "-c", program], capture_output=True, text=True, check=True)
    return answer.stdout.strip().rstrip(",")
