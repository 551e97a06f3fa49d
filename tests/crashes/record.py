"""The table of all faults: what was broken, how often, and what the ledger said afterwards."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from tests.crashes.ledger import Ledger

TABLE = Path(__file__).with_name("LEDGER.md")

HEADING = """\
# What was broken, and what was lost

Written by `make faults` on {day}. Each line is a fault that was done to real parts while sign-ups
came in; afterwards `tests/crashes/ledger.py` compared what was submitted with what every database,
queue, dead letter and mailbox held. Time to recover is from the moment when the part was there
again (or the process was started again) until every effect was there; where a line stands for
several runs, the longest of them.

| fault | times run | submitted | lost | duplicated | dead | mails repeated | time to recover |
|---|--:|--:|--:|--:|--:|--:|--:|
"""


@dataclass(frozen=True)
class Entry:
    """One run of one fault."""

    fault: str
    submitted: int
    lost: int
    duplicated: int
    dead: int
    mails_repeated: int
    seconds_to_recover: float | None

    @classmethod
    def of(
        cls, fault: str, submitted: int, ledger: Ledger, seconds_to_recover: float | None
    ) -> "Entry":
        """The figures of a ledger."""
        return cls(
            fault,
            submitted,
            len(ledger.lost),
            len(ledger.duplicated),
            len(ledger.dead),
            ledger.mails_repeated,
            seconds_to_recover,
        )


def keep(folder: Path, worker: str, entry: Entry) -> None:
    """Add a run to those of this session; each worker has a file of its own."""
    with (folder / f"{worker}.jsonl").open("a") as file:
        file.write(json.dumps(asdict(entry)) + "\n")


def kept(folder: Path) -> list[Entry]:
    """All runs of this session, whichever worker did them."""
    lines = [line for path in folder.glob("*.jsonl") for line in path.read_text().splitlines()]
    return [Entry(**json.loads(line)) for line in lines]


def table(entries: Iterable[Entry], day: date) -> str:
    """The table, one line for each fault."""
    by_fault: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda one: one.fault):
        by_fault.setdefault(entry.fault, []).append(entry)
    lines = [_line(fault, runs) for fault, runs in by_fault.items()]
    every = [one for runs in by_fault.values() for one in runs]
    return HEADING.format(day=day) + "".join([*lines, _line("**all**", every)])


def _line(fault: str, runs: list[Entry]) -> str:
    times = [one.seconds_to_recover for one in runs if one.seconds_to_recover is not None]
    sums = [
        sum(getattr(one, name) for one in runs)
        for name in ("submitted", "lost", "duplicated", "dead", "mails_repeated")
    ]
    figures = [len(runs), *sums, f"{max(times):.1f} s" if times else "—"]
    return f"| {fault} | {' | '.join(str(one) for one in figures)} |\n"
