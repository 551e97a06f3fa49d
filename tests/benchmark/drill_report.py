"""The drill's outcome: whether all is there, how fast each part went, what memory it took."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmark.figures import Pace
from tests.benchmark.report import equipment

MAILS = (
    "signup_received",
    "signup_received_office",
    "order_confirmation",
    "order_confirmation_copy",
    "signature_received",
    "signature_received_office",
    "customer_released",
)
"""Each customer's sign-up leads to one of each of these."""


@dataclass(frozen=True)
class Drilled:
    """What one drill found.

    Times are seconds from the first sign-up, peaks are MiB, and `processor` is how many seconds of
    a processor each process took, with the processes that it started.
    """

    customers: int
    submitting: float
    seconds: float
    all_mail: float
    steps: Mapping[str, int]
    left: Mapping[str, int]
    kinds: Mapping[str, int]
    read: Mapping[str, int]
    doubled: int
    handled: Mapping[str, Pace]
    mailed: Mapping[str, Pace]
    documents: Pace
    peaks: Mapping[str, int]
    processor: Mapping[str, float]

    @property
    def faults(self) -> list[str]:
        """Where something is missing, doubled or left over; nothing when all is as it must be."""
        wanted = self.customers
        found = [f"{step}: {n}" for step, n in self.steps.items() if n != wanted]
        found += [f"{what}: {n}" for what, n in self.left.items() if n]
        for kind in MAILS:
            if not self.kinds.get(kind) == self.read.get(kind) == wanted:
                found.append(f"{kind}: {self.kinds.get(kind)} sent, {self.read.get(kind)} read")
        found += [f"kinds of mail: {sorted(self.kinds)}"] if set(self.kinds) != set(MAILS) else []
        return found + ([f"mails twice: {self.doubled}"] if self.doubled else [])


def peak_of(pid: int) -> int:
    """The most memory that a process has held, in MiB."""
    for row in Path(f"/proc/{pid}/status").read_text().splitlines():
        if row.startswith("VmHWM"):
            return int(row.split()[1]) // 1024
    return 0


def processor_seconds_of(pid: int) -> float:
    """Seconds of a processor that a process has taken, with the processes that it started."""
    _, _, fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")
    # proc(5): fields 14 to 17 are its own time and that of its ended children, in ticks.
    ticks = sum(int(field) for field in fields.split()[11:15])
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    own = ticks / os.sysconf("SC_CLK_TCK")
    return own + sum(processor_seconds_of(int(child)) for child in children)


def as_markdown(it: Drilled) -> str:
    """The page."""
    return "\n".join([*_head(it), *_paces(it), *_processes(it), *_balance(it), ""])


def _head(it: Drilled) -> list[str]:
    return [
        "# The backlog drill",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, one machine: {equipment()}, "
        f"{len(it.peaks)} processes, all guarantees on. "
        "Made by `python -m tests.benchmark.drill --write`.",
        "",
        f"**{it.customers:,} sign-ups** were submitted at once (in {it.submitting:.0f} s). "
        f"All were ready to activate after **{_minutes(it.seconds)}**, that is "
        f"{it.customers / it.seconds:,.0f} customers a second from sign-up to release; "
        f"the last mail had left after {_minutes(it.all_mail)}. Each payer signs after he has "
        "read his confirmation, so documents and mails are part of that time.",
        "",
    ]


def _paces(it: Drilled) -> list[str]:
    lines = [
        "| service | messages handled | from first to last | a second | a second, best five |",
        "|---|---|---|---|---|",
    ]
    lines += [_row(name, pace) for name, pace in it.handled.items()]
    lines += [
        "",
        "| mails of | sent | from first to last | a second | a second, best five |",
        "|---|---|---|---|---|",
    ]
    lines += [_row(name, pace) for name, pace in it.mailed.items() if pace.count]
    return [*lines, _row("billing: documents made (PDF)", it.documents), ""]


def _row(name: str, pace: Pace) -> str:
    return (
        f"| {name} | {pace.count:,} | {pace.seconds:,.0f} s | {pace.per_second:,.0f} | "
        f"{pace.best:,.0f} |"
    )


def _processes(it: Drilled) -> list[str]:
    def row(name: str, seconds: float, peak: str) -> str:
        each = 1000 * seconds / it.customers
        return f"| {name} | {peak} | {seconds:,.0f} s | {each:.1f} ms |"

    return [
        "| process | peak memory | processor | for each customer |",
        "|---|---|---|---|",
        *(row(name, it.processor[name], f"{peak} MiB") for name, peak in it.peaks.items()),
        row("together", sum(it.processor.values()), ""),
        "",
    ]


def _balance(it: Drilled) -> list[str]:
    steps = ", ".join(f"{step} {count:,}" for step, count in it.steps.items())
    left = ", ".join(f"{what} {count}" for what, count in it.left.items())
    verdict = "Nothing lost, nothing doubled" if not it.faults else "; ".join(it.faults)
    return [
        f"**{verdict}.** Customers at each step: {steps}. Left over: {left}. "
        f"Mails received: {sum(it.read.values()):,}, of them twice: {it.doubled}.",
    ]


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"
