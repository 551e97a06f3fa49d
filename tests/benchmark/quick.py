"""`make bench-quick`: what became slower since the release, in less than three minutes.

    python -m tests.benchmark.quick [--record]

Each figure is a ratio to something fixed that is measured in the same run on the same machine,
and stands beside the ratio that was recorded with the release. The exit code is 1 when one of
them became worse by more than 15 %. While the machine is busy with something else, only the
figures of the processor's time are judged, or recorded.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from infra.composition import service_names, topology
from shared.host.settings import Settings
from shared.messaging.topology.declare import apply
from tests.benchmark import http_sides, payments_by_engine
from tests.benchmark.__main__ import numbered_arena, say
from tests.benchmark.arena import LISTENER, QUEUE, Arena, contender, drain, fill
from tests.benchmark.flat import bodies, consumers
from tests.benchmark.http_client import measure
from tests.benchmark.judging import Figure, became_slower, judged
from tests.benchmark.latency import latencies
from tests.benchmark.report import equipment
from tests.benchmark.roster import BY_HAND, STAPPENPLAN, Contender
from tests.servers.postgres import Databases, Postgres, start_postgres
from tests.servers.premises import wait_until
from tests.servers.rabbitmq import RabbitMQ, start_rabbitmq

RECORDED = Path(__file__).parent / "recorded.json"
ROUNDS = 3
LONE, WARM_UP = 60, 10
BURST = 8_000
BATCH = 200
"""The size of the hand-written loop's batches: as many as Stappenplan takes at most."""
PAYMENT_ROUNDS = 12
CALL = "`POST /api/signups`"
CALLS = 100
OURS, BARE = "Stappenplan", "bare FastAPI"


@dataclass(frozen=True)
class Turn:
    """One contender's turn: the milliseconds of a lone event, the seconds of a burst.

    `start` and `whole` are seconds of the processor in the contender's own process: for its
    start, and for a start with a burst after it.
    """

    lone: float
    burst: float
    start: float
    whole: float


def best(turns: Sequence[Turn]) -> Turn:
    """The least of each: what disturbs the machine only ever makes a turn slower."""
    return Turn(
        min(turn.lone for turn in turns),
        min(turn.burst for turn in turns),
        min(turn.start for turn in turns),
        min(turn.whole for turn in turns),
    )


def events(rabbitmq: RabbitMQ, postgres: Postgres) -> Iterator[Figure]:
    """Lone events and bursts through registration, beside the hand-written loop."""
    turns: dict[str, list[Turn]] = {STAPPENPLAN.name: [], BY_HAND.name: []}
    for _ in range(ROUNDS):
        for entrant in (STAPPENPLAN, BY_HAND):
            with numbered_arena(rabbitmq, postgres) as place:
                turns[entrant.name].append(_turn(entrant, place))
    ours, reference = map(best, turns.values())
    loop = "the hand-written loop"
    yield Figure("a lone event", ours.lone, loop, reference.lone, "ms", by_clock=True)
    name = f"a burst of {BURST:,} events"
    yield Figure(name, ours.burst, loop, reference.burst, "s", by_clock=True)
    name += ", processor time"
    yield Figure(name, ours.whole - ours.start, loop, reference.whole - reference.start, "s")


def _turn(entrant: Contender, place: Arena) -> Turn:
    environment = entrant.environment(BATCH)
    with contender(entrant.command(), place, environment) as process:
        wait_until(lambda: consumers(place) > 0, f"{entrant.name} consumes")
        start = processor_seconds(process.pid)
        lone = latencies(place, entrant, environment, bodies(LONE + WARM_UP))[WARM_UP:]
    with place.channel() as channel:
        for queue in (QUEUE, LISTENER):
            channel.queue_purge(queue)
    later = replace(place, opened=time.time())
    fill(later, bodies(BURST))
    with contender(entrant.command(), later, environment) as process:
        rate = drain(later, BURST)
        whole = processor_seconds(process.pid)
    return Turn(statistics.median(lone), BURST / rate, start, whole)


def processor_seconds(pid: int) -> float:
    """What a process has taken of the processor so far, all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def booking(postgres: Postgres) -> Figure:
    """Payments through billing's engine, beside plain inserts."""
    with tempfile.TemporaryDirectory() as folder:
        took, plain = payments_by_engine.measure(postgres, Path(folder), PAYMENT_ROUNDS)
    reference = (
        f"{payments_by_engine.TIMES * payments_by_engine.PAYMENTS:,} results plainly inserted"
    )
    name = f"{payments_by_engine.PAYMENTS} payments, processor time"
    return Figure(name, 1000 * took, reference, 1000 * plain, "ms")


def call(rabbitmq: RabbitMQ, postgres: Postgres) -> Figure:
    """A sign-up over HTTP, beside a bare FastAPI route."""
    apply(topology(Settings()), rabbitmq.url)
    url = Databases(postgres).make_each(service_names())
    settings = {"BROKER_URL": rabbitmq.url, "DATABASE_URL": url}
    took: dict[str, list[float]] = {OURS: [], BARE: []}
    with (
        tempfile.TemporaryDirectory() as folder,
        http_sides.stappenplan(settings, Path(folder) / "ours", apart=False, listed=0) as ours,
        http_sides.bare(url, Path(folder) / "bare", listed=0) as bare,
    ):
        for _ in range(ROUNDS):
            took[OURS].append(_per_call(ours, CALLS))
            took[BARE].append(_per_call(bare, 2 * CALLS))
    least = {name: min(found) for name, found in took.items()}
    route = "the bare FastAPI route"
    name = f"{CALL}, processor time"
    return Figure(name, least[OURS], route, least[BARE], "ms")


def _per_call(side: http_sides.Side, count: int) -> float:
    """Milliseconds of the processor that a call takes in the process that answers."""
    call = side.calls()[CALL]
    before = processor_seconds(side.pid)
    measure(side.port, call.requests[:count], 1, call.status)
    return 1000 * (processor_seconds(side.pid) - before) / count


def run() -> list[Figure]:
    """Measure everything, one after the other."""
    rabbitmq, postgres = start_rabbitmq(), start_postgres(durable=True)
    try:
        say("events")
        figures = list(events(rabbitmq, postgres))
        say("payments")
        figures.append(booking(postgres))
        say("a call over HTTP")
        return [*figures, call(rabbitmq, postgres)]
    finally:
        rabbitmq.close()
        postgres.close()


def show(figures: Sequence[Figure]) -> None:
    """Each figure with its reference, and the ratio beside the recorded one."""
    before = recorded()
    for it in figures:
        was = f"{before[it.name]:.2f} at the release" if it.name in before else "not on record"
        say(
            f"  {it.name:<40} {it.took:7.2f} {it.unit:<2}  {it.reference}: "
            f"{it.reference_took:.2f} {it.unit}, ratio {it.ratio:.2f} ({was})"
        )


def recorded() -> dict[str, float]:
    """The ratios on record, by the names of the figures; empty when there is no record."""
    if not RECORDED.exists():
        return {}
    ratios: dict[str, float] = json.loads(RECORDED.read_text(encoding="utf-8"))["ratios"]
    return ratios


def record(figures: Sequence[Figure]) -> None:
    """Keep the ratios of this run, for all later ones to be judged by."""
    page = {
        "release": version("stappenplan"),
        "equipment": equipment(),
        "ratios": {figure.name: round(figure.ratio, 3) for figure in figures},
    }
    RECORDED.write_text(json.dumps(page, indent=2) + "\n", encoding="utf-8")


def machine_busy() -> bool:
    """Whether others keep more than half of its processors busy; said when it is so."""
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    if load <= processors / 2:
        return False
    say(f"the machine is busy (load {load:.1f}): what is measured by the clock is not judged")
    return True


def main(words: Sequence[str]) -> int:
    """Measure, tell, and judge, or record; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark.quick")
    parser.add_argument("--record", action="store_true", help=f"write {RECORDED.name}")
    asked = parser.parse_args(words)
    busy = machine_busy()
    figures = run()
    show(figures)
    told = judged(figures, busy=busy)
    if asked.record:
        record(told)
        return 0
    slower = list(became_slower(told, recorded()))
    for sentence in slower or ["nothing became slower by more than 15 %"]:
        say(sentence)
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
