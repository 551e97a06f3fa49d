"""The table of all faults: what was broken, how often, and what the ledger said afterwards.

A test leaves its figures on its own report, which reaches the main process whichever worker ran
it. So one table holds what the tests of crashes and those of faults have found.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parents[1] / "faults" / "LEDGER.md"
PROPERTY = "fault"

HEADING = """\
# What was broken, and what was lost

Written by `make faults` on {day}. Each line is a fault that was done to real parts while sign-ups
came in; afterwards what was submitted was compared with what every inbox, outbox, queue, dead
letter and mailbox held. Time to recover is from the moment when the part was there again (or the
process was started again) until every effect was there; where a line stands for several runs,
the longest of them. A mail is repeated when it left again under its own id, since nobody could
tell whether it had left.

| fault | times run | submitted | lost | duplicated | dead | mails repeated | time to recover |
|---|--:|--:|--:|--:|--:|--:|--:|
"""


@dataclass(frozen=True)
class Entry:
    """One run of one fault; `fault` says in words what was broken."""

    fault: str
    submitted: int
    lost: int = 0
    duplicated: int = 0
    dead: int = 0
    mails_repeated: int = 0
    seconds_to_recover: float | None = None

    def leave_with(self, test: Any) -> None:
        """Put it on the test's report, whether the test then passes or fails."""
        test.user_properties.append((PROPERTY, asdict(self)))


def gathered(terminalreporter: Any) -> Iterator[Entry]:
    """What the tests of this session left, those that failed included."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            if report.when == "call":
                yield from (Entry(**it) for name, it in report.user_properties if name == PROPERTY)


def write_table(terminalreporter: Any) -> None:
    """Write the table of this session's faults."""
    TABLE.write_text(table(gathered(terminalreporter), datetime.now(UTC).date()))


def table(entries: Iterable[Entry], day: date) -> str:
    """The table, one line for each fault."""
    by_fault: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda entry: entry.fault):
        by_fault.setdefault(entry.fault, []).append(entry)
    lines = [_line(fault, runs) for fault, runs in by_fault.items()]
    every = [run for runs in by_fault.values() for run in runs]
    return HEADING.format(day=day) + "".join([*lines, _line("**all**", every)])


def _line(fault: str, runs: list[Entry]) -> str:
    times = [run.seconds_to_recover for run in runs if run.seconds_to_recover is not None]
    sums = [
        sum(getattr(run, name) for run in runs)
        for name in ("submitted", "lost", "duplicated", "dead", "mails_repeated")
    ]
    figures = [len(runs), *sums, f"{max(times):.1f} s" if times else "—"]
    return f"| {fault} | {' | '.join(str(figure) for figure in figures)} |\n"
