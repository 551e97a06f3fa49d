"""`python -m tests.benchmark.flat`: what a long life costs a service, beside an empty one.

    python -m tests.benchmark.flat [--rounds 3] [--scale 0.01] [--write]

Registration runs as `stappenplan run registration` does, on a broker and a durable database of
its own. At scale 1 a million customers are there already.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import Popen

import psycopg

from shared.messaging.bus import PublishResult
from shared.processing.retry_policy import PUBLISH_PAUSES
from tests.benchmark import stock
from tests.benchmark.__main__ import say
from tests.benchmark.arena import (
    LISTENER,
    QUEUE,
    Arena,
    arena_at,
    contender,
    database_of_registration,
    drain,
    fill,
)
from tests.benchmark.flat_report import Flat, Lap, Memory, Pace, Removal, as_markdown
from tests.benchmark.latency import latencies
from tests.benchmark.load import accepted
from tests.benchmark.roster import STAPPENPLAN
from tests.servers.postgres import Postgres, start_postgres
from tests.servers.premises import wait_until
from tests.servers.rabbitmq import RabbitMQ, start_rabbitmq

RESULTS = Path(__file__).parent / "FLAT.md"
KEPT = 1_000_000
BACKLOG = 100_000
QUEUED = 100_000
WAITING = int(PUBLISH_PAUSES[PublishResult.UNROUTABLE].total_seconds())
"""Seconds until a backlog that waits is due: as long as an event can wait, and longer than a lap.
What is leased for longer than that is called back at once, as a wrong clock's work."""
LONE = 200
"""Messages of the latency's measure: ten seconds of twenty a second."""


class Track:
    """The servers, and how much of everything there is to be."""

    def __init__(self, rabbitmq: RabbitMQ, postgres: Postgres, scale: float) -> None:
        self._rabbitmq = rabbitmq
        self._postgres = postgres
        self.kept = int(KEPT * scale)
        self.backlog = int(BACKLOG * scale)
        self.queued = int(QUEUED * scale)
        self.messages = STAPPENPLAN.messages

    @contextmanager
    def database(self) -> Iterator[str]:
        """The address of a database with registration's schema, dropped afterwards."""
        with database_of_registration(self._postgres) as url:
            yield url

    @contextmanager
    def at(self, url: str) -> Iterator[Arena]:
        """An arena at this database, with an empty broker."""
        with (
            tempfile.TemporaryDirectory() as folder,
            arena_at(self._rabbitmq, url, Path(folder)) as place,
        ):
            yield place

    def lap(self, url: str) -> float:
        """Events per second through the queue of a service at this database."""
        with self.at(url) as place:
            fill(place, bodies(self.messages))
            with running(place):
                return drain(place, self.messages, listener=stock.COUNTED, follow=1)


def side_by_side(track: Track, rounds: int) -> tuple[dict[str, list[float]], list[float]]:
    """Empty tables, full ones with a backlog that waits, and with one that is being published.

    Also returns how many of that last backlog's events were published each second.
    """
    found: dict[str, list[float]] = defaultdict(list)
    swept: list[float] = []
    with track.database() as full:
        dsn = libpq(full)
        say(f"filling the tables with {track.kept:,} customers")
        stock.long_used(dsn, track.kept)
        say("a lap that does not count: whoever comes first would pay for what the servers learn")
        _lap_on_empty(track)
        for number in range(1, rounds + 1):
            say(f"round {number} of {rounds}")
            # Each lap comes first, second and last in turn, since machines grow warm or busy.
            begin = number % len(Lap)
            for lap in (*list(Lap)[begin:], *list(Lap)[:begin]):
                if lap is Lap.EMPTY:
                    rate = _lap_on_empty(track)
                elif lap is Lap.FULL:
                    stock.unpublished(dsn, track.backlog, lease_seconds=WAITING)
                    rate = track.lap(full)
                else:
                    stock.unpublished(dsn, track.backlog, lease_seconds=-60)
                    rate, published = _lap_with_sweeper(track, full)
                    swept.append(published)
                found[lap.value].append(rate)
                say(f"  {lap.value:<44} {rate:7.0f} events/s")
    return found, swept


def _lap_on_empty(track: Track) -> float:
    with track.database() as empty:
        stock.settle(libpq(empty))
        return track.lap(empty)


def _lap_with_sweeper(track: Track, url: str) -> tuple[float, float]:
    """Events per second of the work itself, and of the backlog published meanwhile."""
    began = time.time()
    rate = track.lap(url)
    query = (
        "SELECT count(*) / nullif(extract(epoch FROM max(published_at) - min(published_at)), 0)"
        " FROM outbox WHERE type = %s AND published_at >= to_timestamp(%s)"
    )
    with psycopg.connect(libpq(url)) as database:
        row = database.execute(query, [stock.DECLINED, began]).fetchone()
    return rate, float(row[0] or 0) if row else 0.0


def memory(track: Track) -> Memory:
    """A consumer's memory with nothing on its queue, and at its peak with a long one."""
    with track.database() as url, track.at(url) as place:
        with running(place) as process:
            wait_until(lambda: consumers(place) == 1, "registration consumes")
            idle = kibibytes(process, "VmRSS")
        fill(place, bodies(track.queued))
        with running(place) as process:
            drain(place, track.queued, 600)
            peak = kibibytes(process, "VmHWM")
    say(f"memory: {idle / 1024:.0f} MiB idle, {peak / 1024:.0f} MiB at its peak")
    return Memory(track.queued, idle, peak)


def removal(track: Track) -> Removal:
    """Old rows are removed by the cleaning chore while the service works, and once it is done."""
    with track.database() as url:
        say(f"filling three tables with {track.kept:,} old rows each")
        stock.out_of_date(libpq(url), track.kept)
        with track.at(url) as place, running(place), ThreadPoolExecutor(1) as watching:
            wait_until(lambda: consumers(place) == 1, "registration consumes")
            gone = watching.submit(_removed, libpq(url), time.monotonic())
            lone = _lone(place)
            rate = _burst(track, url, place)
            meanwhile = Pace(rate, lone)
            outlasted = not gone.done()
            seconds = gone.result()
            stock.settle(libpq(url))
            after = Pace(_burst(track, url, place), _lone(place))
    say(f"removed in {seconds:.1f} s: {meanwhile.rate:.0f} events/s, then {after.rate:.0f}")
    return Removal(3 * track.kept, seconds, outlasted, meanwhile, after)


def _removed(dsn: str, began: float) -> float:
    """Wait until nothing is left to remove; the seconds since it began."""
    while stock.any_old(dsn) and time.monotonic() < began + 900:
        time.sleep(0.5)  # To look more often would be a load upon what is measured.
    assert not stock.any_old(dsn), "old rows are left after a quarter of an hour"
    return time.monotonic() - began


def _burst(track: Track, url: str, place: Arena) -> float:
    """Events per second of a burst upon a service that runs already."""
    with place.channel() as channel:
        channel.queue_purge(LISTENER)
    now = Arena(place.broker_url, url, place.folder, time.time())
    fill(now, bodies(track.messages))
    return drain(now, track.messages)


def _lone(place: Arena) -> list[float]:
    """Milliseconds of lone messages, twenty a second."""
    with place.channel() as channel:
        channel.queue_purge(LISTENER)
    return latencies(place, STAPPENPLAN, {}, bodies(LONE))


@contextmanager
def running(place: Arena) -> Iterator["Popen[bytes]"]:
    """One `stappenplan run registration`."""
    with contender(STAPPENPLAN.command(), place, STAPPENPLAN.environment(1)) as process:
        yield process


def bodies(count: int) -> list[bytes]:
    """So many accepted sign-ups, as they lie on the queue."""
    return [json.dumps(event).encode() for event in accepted(count)]


def consumers(place: Arena) -> int:
    """How many consume from registration's queue."""
    with place.channel() as channel:
        return int(channel.queue_declare(QUEUE, passive=True).method.consumer_count)


def kibibytes(process: "Popen[bytes]", name: str) -> int:
    """What the kernel says of a process' memory: VmRSS now, VmHWM at its peak."""
    lines = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def libpq(url: str) -> str:
    """SQLAlchemy's address as libpq has it."""
    return url.replace("postgresql+psycopg://", "postgresql://")


def main(words: Sequence[str]) -> None:
    """Run it, and write the results down when asked to."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark.flat")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="of the rows that are there")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    asked = parser.parse_args(words)
    with ExitStack() as servers:
        rabbitmq, postgres = start_rabbitmq(), start_postgres(durable=True)
        servers.callback(rabbitmq.close)
        servers.callback(postgres.close)
        track = Track(rabbitmq, postgres, asked.scale)
        laps, swept = side_by_side(track, asked.rounds)
        found = Flat(track.kept, track.backlog, laps, swept, memory(track), removal(track))
    ratio = statistics.median(found.ratios(Lap.FULL))
    report = as_markdown(found)
    say(f"\n{report}\nfull tables do {ratio:.2f} of empty ones")
    say(f"{statistics.mean(swept):.0f} events/s of the backlog were published meanwhile")
    if asked.write:
        RESULTS.write_text(report, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
