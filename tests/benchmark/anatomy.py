"""Where a lone event's time goes: each hop from publishing to the next event on its queue.

    python -m tests.benchmark.anatomy [--count 200] [--write]

One process of registration, RabbitMQ and PostgreSQL, twenty events a second, every guarantee on.
"""

import argparse
import json
import statistics
import sys
import tempfile
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from tests.benchmark.__main__ import say
from tests.benchmark.arena import Arena, arena, contender
from tests.benchmark.latency import Timed, timed
from tests.benchmark.load import accepted
from tests.benchmark.report import machine
from tests.benchmark.roster import STAPPENPLAN
from tests.servers.postgres import start_postgres
from tests.servers.rabbitmq import start_rabbitmq

ANATOMY = Path(__file__).parent / "ANATOMY.md"
WARM_UP = 20
BEGINS, ENDS = "published", "the next event is there"


def watch(place: Arena, count: int) -> tuple[list[Timed], list[tuple[float, str, str]]]:
    """Send lone events through a traced process; when each left and arrived, and all moments."""
    file = place.folder / "moments.jsonl"
    command = [sys.executable, "-m", "tests.benchmark.traced", str(file), "run", "registration"]
    environment = STAPPENPLAN.environment(1)
    bodies = [json.dumps(event).encode() for event in accepted(count + WARM_UP)]
    with contender(command, place, environment):
        journeys = timed(place, STAPPENPLAN, environment, bodies)[WARM_UP:]
    moments = [tuple(json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]
    return journeys, sorted(moments)


def hops(
    journeys: Sequence[Timed], moments: Sequence[tuple[float, str, str]]
) -> Iterator[Sequence[tuple[float, str]]]:
    """For each event the moments between its publishing and its successor's arrival."""
    times = [moment[0] for moment in moments]
    for journey in journeys:
        first, last = (bisect_left(times, at) for at in (journey.published, journey.arrived))
        passed = [(at, hop) for at, hop, _ in moments[first:last]]
        yield [(journey.published, BEGINS), *passed, (journey.arrived, ENDS)]


def usual_way(found: Sequence[Sequence[tuple[float, str]]]) -> Mapping[str, list[float]]:
    """Milliseconds up to each hop since the one before, over the events that went the usual way."""
    ways = [tuple(hop for _, hop in passed) for passed in found]
    usual = statistics.mode(ways)
    took: dict[str, list[float]] = {}
    for way, passed in zip(ways, found, strict=True):
        if way != usual:
            continue
        for number, ((before, _), (at, hop)) in enumerate(pairwise(passed), 1):
            took.setdefault(f"{number:02} {hop}", []).append(1000 * (at - before))
    return took


def as_markdown(journeys: Sequence[Timed], took: Mapping[str, list[float]]) -> str:
    """The page."""
    whole = [1000 * (journey.arrived - journey.published) for journey in journeys]
    alike = len(next(iter(took.values())))
    lines = [
        "# Where a lone event's time goes",
        "",
        machine(1, "python -m tests.benchmark.anatomy --write"),
        "",
        f"{len(journeys)} events, 20 a second: p50 {statistics.median(whole):.1f} ms, "
        f"p95 {statistics.quantiles(whole, n=20)[-1]:.1f} ms, the quickest {min(whole):.1f} ms, "
        f"with the notes in place. {alike} went the usual way, which is this:",
        "",
        "| until | ms since the line before, p50 | p95 |",
        "|---|---|---|",
    ]
    for hop, spent in took.items():
        p95 = statistics.quantiles(spent, n=20)[-1] if len(spent) > 1 else spent[0]
        lines.append(f"| {hop[3:]} | {statistics.median(spent):.2f} | {p95:.2f} |")
    return "\n".join([*lines, ""])


def main(words: Sequence[str]) -> None:
    """Run it, and write the page when asked to."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark.anatomy")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--write", action="store_true", help=f"write {ANATOMY.name}")
    asked = parser.parse_args(words)
    rabbitmq, postgres = start_rabbitmq(), start_postgres(durable=True)
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            arena(rabbitmq, postgres, Path(folder)) as place,
        ):
            journeys, moments = watch(place, asked.count)
    finally:
        rabbitmq.close()
        postgres.close()
    page = as_markdown(journeys, usual_way(list(hops(journeys, moments))))
    say(page)
    if asked.write:
        ANATOMY.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
