"""What a long life costs, as a page."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from tests.benchmark.report import machine


class Lap(Enum):
    """What is there when the measured work begins."""

    EMPTY = "empty tables"
    FULL = "full tables, and a backlog that waits"
    SWEEPING = "full tables, and a backlog being published"


@dataclass(frozen=True)
class Memory:
    """A consumer's resident memory, in KiB."""

    queued: int
    idle: int
    peak: int


@dataclass(frozen=True)
class Pace:
    """How a service works: events per second of a burst, milliseconds of lone messages."""

    rate: float
    lone: Sequence[float]


@dataclass(frozen=True)
class Removal:
    """How old rows left, and how the service worked meanwhile and afterwards.

    `outlasted` tells whether rows were still to be removed when the measure had ended.
    """

    rows: int
    seconds: float
    outlasted: bool
    meanwhile: Pace
    after: Pace


@dataclass(frozen=True)
class Flat:
    """What one run found."""

    kept: int
    backlog: int
    laps: Mapping[str, Sequence[float]]
    swept: Sequence[float]
    memory: Memory
    removal: Removal

    def median(self, lap: Lap) -> float:
        """The median throughput, in events per second."""
        return statistics.median(self.laps[lap.value])

    def ratios(self, lap: Lap) -> list[float]:
        """The throughput beside that of empty tables in the same round, for each round."""
        pairs = zip(self.laps[lap.value], self.laps[Lap.EMPTY.value], strict=True)
        return [rate / empty for rate, empty in pairs]


def as_markdown(it: Flat) -> str:
    """The page."""
    rounds = len(it.laps[Lap.EMPTY.value])
    lines = [
        "# What a long life costs",
        "",
        machine(rounds, "python -m tests.benchmark.flat --write"),
        "",
        f"Full tables hold {it.kept:,} registrations, as many rows in the inbox and as many "
        f"published events of the last days; the backlog is {it.backlog:,} events that were said "
        "and never published. They are due in a minute, so that they wait, or now, so that the "
        "sweeper publishes them while the measured work is done.",
        "",
        "The last column is the median, and the span, of what each round gave beside the empty "
        "tables of the same round.",
        "",
        "| | events/s, median | min–max | of empty tables |",
        "|---|---|---|---|",
    ]
    for lap in Lap:
        rates = it.laps[lap.value]
        ratios = it.ratios(lap)
        beside = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
        span = f"{min(rates):,.0f}–{max(rates):,.0f}"
        lines.append(f"| {lap.value} | {it.median(lap):,.0f} | {span} | {beside} |")
    lines += [
        "",
        f"In the last row the sweeper published {statistics.median(it.swept):,.0f} events/s of "
        "the backlog beside the two that each measured event leads to.",
        "",
        *_memory(it.memory),
        *_removal(it.removal),
    ]
    return "\n".join(lines)


def _memory(it: Memory) -> list[str]:
    return [
        "## Memory",
        "",
        f"One consumer, resident: {it.idle / 1024:.0f} MiB with an empty queue, "
        f"{it.peak / 1024:.0f} MiB at its peak while it works through {it.queued:,} messages "
        "that lay on its queue.",
        "",
    ]


def _removal(it: Removal) -> list[str]:
    lines = [
        "## Removing what is old",
        "",
        f"{it.rows:,} old rows, a third of them in each of inbox, outbox and notification, in "
        "front of as many that stay, were removed by the service's own cleaning chore in "
        f"{it.seconds:.0f} s while it worked.",
        "",
        "| | events/s | a lone message: p50 | p95 | slowest |",
        "|---|---|---|---|---|",
        _row("while rows are removed", it.meanwhile),
        _row("afterwards, same process", it.after),
        "",
    ]
    if not it.outlasted:
        lines += ["The removal had ended before the measure had: these rows are too few.", ""]
    return lines


def _row(name: str, pace: Pace) -> str:
    p50, p95 = statistics.median(pace.lone), statistics.quantiles(pace.lone, n=20)[-1]
    return f"| {name} | {pace.rate:,.0f} | {p50:.1f} ms | {p95:.1f} ms | {max(pace.lone):.0f} ms |"
