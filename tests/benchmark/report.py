"""The results as a table: medians, the spread, and the ratios that can be relied upon."""

import json
import os
import platform
import shutil
import statistics
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.benchmark.roster import NODE_MODULES, PEERS

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
        """The fastest of those that others make, in whatever language."""
        return max(self._peers, key=self.median)

    @property
    def best_singly(self) -> str:
        """The fastest of those peers that take each message by itself, as most are written."""
        singly = [name for name in self._peers if "in batches" not in name]
        return max(singly, key=self.median)

    @property
    def _peers(self) -> Sequence[str]:
        return [name for name in self.throughput if name not in (*NOT_PEERS, self.ceiling)]


def as_markdown(it: Measured) -> str:
    """The page."""
    lines = [
        "# The same work, side by side",
        "",
        machine(it.rounds, "make bench"),
        "",
        "The work: one `signup.accepted.v1` of 1.2 kB is validated, claimed in an inbox, "
        "registered (one business row), and answered by two events, each confirmed by the "
        "broker and routed to its queues; then it is acknowledged. PostgreSQL commits "
        "synchronously, the queues are quorum queues (but for Dramatiq's own, see below). "
        "The peers keep no outbox: an end between the commit and the broker's answer loses what "
        "follows, which Stappenplan and the hand-written loop have written down.",
        "",
        *_throughput(it),
        "",
        "## A lone message",
        "",
        "From publishing to the next event on its queue, at 20 events a second. What comes in "
        "lies on a quorum queue, but for Dramatiq: it declares a classic queue of its own, which "
        "hands a message out at once, where a quorum queue first writes it to its log.",
        "",
        *_lone(it),
    ]
    return "\n".join([*lines, "", f"Peers: {_peers()}.", ""])


def _throughput(it: Measured) -> Iterator[str]:
    """The table of events a second, and what it says."""
    ours, ceiling, best, singly = map(
        it.median, ("Stappenplan", it.ceiling, it.best_peer, it.best_singly)
    )
    yield "| | concurrency | events/s, median | min–max | of the ceiling | of the best peer |"
    yield "|---|---|---|---|---|---|"
    for name, rates in it.throughput.items():
        rate = it.median(name)
        yield (
            f"| {name} | {it.settings.get(name, 1)} | {rate:,.0f} | "
            f"{min(rates):,.0f}–{max(rates):,.0f} | {rate / ceiling:.2f} | {rate / best:.2f} |"
        )
    yield ""
    yield (
        f"Stappenplan does {ours / best:.1f} × the best peer ({it.best_peer}) and "
        f"{ours / ceiling:.2f} of the ceiling; the ceiling itself does {ceiling / best:.1f} × that "
        f"peer. Of the peers that take each message by itself the best is {it.best_singly}: "
        f"Stappenplan does {ours / singly:.1f} × as much. Of those in batches the concurrency is "
        "the size of a batch."
    )


def _lone(it: Measured) -> Iterator[str]:
    """The table of how long a lone message takes."""
    yield "| | p50 | p95 |"
    yield "|---|---|---|"
    for name, found in it.latency.items():
        p95 = statistics.quantiles(found, n=20)[-1]
        yield f"| {name} | {statistics.median(found):.1f} ms | {p95:.1f} ms |"


def machine(rounds: int, made_by: str) -> str:
    """When it was measured, where, with what and how."""
    counted = "1 round" if rounds == 1 else f"{rounds} rounds"
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {counted}, turn and turn about, on one machine: "
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
    return answer.stdout.strip().rstrip(",") + _node_peers()


def _node_peers() -> str:
    """Node's part of the list; nothing where there is no Node."""
    node = shutil.which("node")
    if node is None or not NODE_MODULES.exists():
        return ""
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    found = [f"Node {answer.stdout.strip().removeprefix('v')}"]
    for name in ("amqplib", "pg", "ajv"):
        package = json.loads((NODE_MODULES / name / "package.json").read_text(encoding="utf-8"))
        found.append(f"{name} {package['version']}")
    return "; " + ", ".join(found)
