"""`make bench`: the same work, done by each contender in turn, on one machine in one run.

    python -m tests.benchmark [--rounds 3] [--write]

Figures of different runs cannot be compared, since machines differ and are shared; the ratios
within one run can.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import psycopg

from tests.benchmark.arena import Arena, arena, contender, drain, fill, fill_by_client
from tests.benchmark.latency import latencies
from tests.benchmark.load import accepted
from tests.benchmark.payments import PAYMENTS_PAGE, Payments, measure_payments
from tests.benchmark.report import Measured, as_markdown
from tests.benchmark.roster import BY_HAND, CONTENDERS, STAPPENPLAN, Contender, present
from tests.servers.postgres import Postgres, start_postgres
from tests.servers.rabbitmq import RabbitMQ, start_rabbitmq

RESULTS = Path(__file__).parent / "RESULTS.md"


class Bench:
    """The servers, and what was measured so far."""

    def __init__(self, rabbitmq: RabbitMQ, postgres: Postgres, scale: float) -> None:
        self._rabbitmq = rabbitmq
        self._postgres = postgres
        self._scale = scale
        self.throughput: dict[str, list[float]] = defaultdict(list)
        self.latency: dict[str, list[float]] = {}
        self.settings: dict[str, int] = {}

    def tune(self, entrant: Contender) -> None:
        """Find the concurrency at which this contender is fastest."""
        tried = {
            setting: self.turn(entrant, setting, entrant.messages // 2)
            for setting in entrant.concurrencies
        }
        self.settings[entrant.name] = max(tried, key=lambda setting: tried[setting])
        shown = ", ".join(f"{setting}: {rate:.0f}/s" for setting, rate in tried.items())
        say(f"  {entrant.name:<24} {shown}")

    def turn(
        self, entrant: Contender, concurrency: int, messages: int, processes: int = 1
    ) -> float:
        """One contender's turn at an empty broker and database; its events per second."""
        count = int(messages * self._scale)
        bodies = [json.dumps(event).encode() for event in accepted(count)]
        with self._arena() as place:
            environment = entrant.environment(concurrency)
            if entrant.fills_itself:
                fill_by_client(place, entrant.command("fill"), environment, bodies)
            else:
                fill(place, bodies)
            with ExitStack() as running:
                for _ in range(processes):
                    running.enter_context(contender(entrant.command(), place, environment))
                return drain(place, count)

    def lone_messages(self, entrant: Contender, count: int = 160) -> list[float]:
        """Milliseconds from publishing to the next event on its queue, at 20 events a second."""
        bodies = [json.dumps(event).encode() for event in accepted(count + 20)]
        with self._arena() as place:
            environment = entrant.environment(self.settings.get(entrant.name, 1))
            with contender(entrant.command(), place, environment):
                return latencies(place, entrant, environment, bodies)[20:]

    def _arena(self) -> AbstractContextManager[Arena]:
        return numbered_arena(self._rabbitmq, self._postgres)


@contextmanager
def numbered_arena(rabbitmq: RabbitMQ, postgres: Postgres) -> Iterator[Arena]:
    """An arena with a folder of its own and the numbers that the hand-written ones take."""
    with (
        tempfile.TemporaryDirectory() as folder,
        arena(rabbitmq, postgres, Path(folder)) as place,
    ):
        with psycopg.connect(place.dsn) as database:
            database.execute("CREATE SEQUENCE bench_numbers START 100001")
        yield place


def run(bench: Bench, rounds: int) -> Measured:
    """Tune, then let everybody have a turn in each round, then measure lone messages."""
    entrants = present()
    if absent := [entrant.name for entrant in CONTENDERS if entrant not in entrants]:
        say(f"without {' and '.join(absent)}: Node or its packages are not here (`make bench`)")
    say("finding each contender's best concurrency")
    for entrant in entrants:
        bench.tune(entrant)
    for number in range(1, rounds + 1):
        say(f"round {number} of {rounds}")
        for entrant in entrants:
            rate = bench.turn(entrant, bench.settings[entrant.name], entrant.messages)
            bench.throughput[entrant.name].append(rate)
            say(f"  {entrant.name:<24} {rate:7.0f} events/s")
        two = bench.turn(STAPPENPLAN, 1, STAPPENPLAN.messages, processes=2)
        bench.throughput["Stappenplan, 2 processes"].append(two)
        say(f"  {'Stappenplan, 2 processes':<24} {two:7.0f} events/s")
    say("lone messages, 20 a second")
    for entrant in entrants:
        bench.latency[entrant.name] = bench.lone_messages(entrant)
        say(f"  {entrant.name:<24} p50 {statistics.median(bench.latency[entrant.name]):6.1f} ms")
    return Measured(bench.throughput, bench.latency, bench.settings, BY_HAND.name, rounds)


def say(line: str) -> None:
    """Tell whoever waits."""
    print(line, flush=True)  # noqa: T201 - a command line's voice.


def main(words: Sequence[str]) -> None:
    """Run it, and write the results down when asked to."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of messages")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    asked = parser.parse_args(words)
    rabbitmq, postgres = start_rabbitmq(), start_postgres(durable=True)
    try:
        measured = run(Bench(rabbitmq, postgres, asked.scale), asked.rounds)
        payments = measure_payments(Payments(rabbitmq, postgres, asked.scale), asked.rounds, say)
    finally:
        rabbitmq.close()
        postgres.close()
    report = as_markdown(measured)
    say(f"\n{report}\n{payments}")
    if asked.write:
        RESULTS.write_text(report, encoding="utf-8")
        PAYMENTS_PAGE.write_text(payments, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
