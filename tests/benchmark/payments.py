"""KING's results through billing, beside a loop written by hand for that work.

    python -m tests.benchmark.payments [--rounds 3] [--scale 0.1] [--write]

Both run on the same RabbitMQ and durable PostgreSQL, turn and turn about; what is to be relied
upon are the ratios of one run.
"""

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from infra.composition import build_service, publisher_rules, senders
from shared.events.envelope import CONTENT_TYPE
from shared.host.runtime import Runtime, utc_now
from shared.host.settings import Settings
from shared.messaging.bus import Incoming, Outgoing, PublishResult
from shared.messaging.rabbitmq import RabbitBus
from shared.processing.testing import RecordingBus
from tests.benchmark.arena import LISTENER, Arena, arena_at, contender
from tests.benchmark.contenders import by_hand, payments_by_hand
from tests.benchmark.paying_customers import (
    RESULT,
    customers,
    libpq,
    released,
    reports,
    stock,
)
from tests.benchmark.payments_activation import (
    ACTIVATED,
    FOLLOW,
    STAFF,
    Activated,
    hear_and_activate,
    running,
)
from tests.benchmark.report import machine
from tests.benchmark.roster import Contender
from tests.servers.postgres import Databases, Postgres, start_postgres
from tests.servers.rabbitmq import RabbitMQ, start_rabbitmq

PAYMENTS_PAGE = Path(__file__).parent / "PAYMENTS.md"
BILLING = "billing"
CUSTOMERS = 20_000
BATCHES = (1, 10, 50, 200)
OF_EACH_BATCH = 1_000
PATIENCE = 100

OURS = Contender("Stappenplan", "", CUSTOMERS, peer=False)
CEILING = Contender("by hand, in batches", "payments_by_hand", CUSTOMERS, (200,), peer=False)


class Payments:
    """The servers, and a template of a billing database for each number of customers."""

    def __init__(self, rabbitmq: RabbitMQ, postgres: Postgres, scale: float) -> None:
        self._rabbitmq = rabbitmq
        self._databases = Databases(postgres)
        self._count = int(CUSTOMERS * scale)
        self._prepare = partial(stock, count=self._count)

    @contextmanager
    def database(self) -> Iterator[str]:
        """The address of a billing database with all customers, none of them released."""
        url = self._databases.make("payments", self._prepare)
        try:
            yield url
        finally:
            self._databases.drop(url)

    def lap(self, entrant: Contender) -> tuple[float, Activated | None]:
        """One contender's turn: results per second, and what activation does of it then.

        Activation hears what our own billing has said; nobody hears the loop by hand.
        """
        with (
            self.database() as url,
            tempfile.TemporaryDirectory() as folder,
            arena_at(self._rabbitmq, url, Path(folder)) as place,
        ):
            fill(place, list(reports(url)))
            command = running(BILLING) if entrant is OURS else entrant.command()
            with contender(command, place, entrant.environment(max(entrant.concurrencies))):
                seconds = drain(place, self._count)
            assert released(url) == self._count
            rate = self._count / seconds
            if entrant is not OURS:
                return rate, None
            return rate, hear_and_activate(place, self._databases, customers(url))

    def batches(self) -> dict[int, dict[str, float]]:
        """The processor's milliseconds for a message, by the size of its batch, and by whom."""
        with self.database() as ours, self.database() as other, tempfile.TemporaryDirectory() as at:
            takers = {OURS.name: engine(ours, Path(at)), CEILING.name: hand(other)}
            work = {OURS.name: reports(ours), CEILING.name: reports(other)}
            found: dict[int, dict[str, float]] = {}
            for size in BATCHES:
                count = min(OF_EACH_BATCH, self._count // len(BATCHES))
                for name, take in takers.items():
                    bodies = [next(work[name]) for _ in range(max(size, count - count % size))]
                    found.setdefault(size, {})[name] = cost(take, bodies, size)
            return found


Take = Callable[[list[bytes]], object]


def engine(url: str, folder: Path) -> Take:
    """Billing without its threads and without a broker."""
    settings = Settings(database_url=url, data_dir=folder, log_level="error")
    rules = publisher_rules(settings)
    service = build_service(BILLING, settings)
    runtime = Runtime(service, settings, RecordingBus(), senders(settings), rules, utc_now)

    def take(bodies: list[bytes]) -> None:
        runtime.engine.take([Incoming(body, RESULT, CONTENT_TYPE) for body in bodies])

    return take


def hand(url: str) -> Take:
    """The transaction of the loop by hand, without a broker."""
    database = by_hand.connect(libpq(url))
    confirmed: list[str] = []

    def take(bodies: list[bytes]) -> None:
        said = by_hand.transact(database, bodies, confirmed, payments_by_hand.PAYMENTS)
        confirmed[:] = [event.id for event in said]

    return take


def cost(take: Take, bodies: list[bytes], size: int) -> float:
    """Milliseconds of the processor for each message: the median of the batches."""
    spent = []
    for start in range(0, len(bodies), size):
        batch = bodies[start : start + size]
        before = time.process_time()
        take(batch)
        spent.append((time.process_time() - before) / len(batch) * 1000)
    return statistics.median(spent)


def fill(place: Arena, bodies: Sequence[bytes]) -> None:
    """Put KING's reports on billing's queue, each confirmed."""
    bus = RabbitBus(place.broker_url, queue=None, name="load")
    bus.open()
    for start in range(0, len(bodies), 2000):
        part = [
            Outgoing(json.loads(body)["id"], RESULT, body, queue=BILLING)
            for body in bodies[start : start + 2000]
        ]
        assert set(bus.publish(part).result(60)) == {PublishResult.CONFIRMED}
    bus.close()


def drain(place: Arena, count: int) -> float:
    """Wait until all that follows is on the listener's queue; the seconds since the first claim."""
    deadline = time.monotonic() + PATIENCE
    with place.channel() as channel:
        while (have := place.depth(channel, LISTENER)) < count * FOLLOW:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{have} of {count * FOLLOW} events after {PATIENCE} s")
            threading.Event().wait(0.02)
        ended = time.time()
    assert place.rows("inbox", "received_at") == count
    return ended - place.started()


def measure_payments(payments: Payments, rounds: int, say: Callable[[str], None]) -> str:
    """Let both have a turn in each round, then measure batches; the page."""
    rates: dict[str, list[float]] = defaultdict(list)
    after: list[Activated] = []
    for number in range(1, rounds + 1):
        say(f"payments, round {number} of {rounds}")
        for entrant in (OURS, CEILING):
            rate, then = payments.lap(entrant)
            rates[entrant.name].append(rate)
            after += [then] if then else []
            say(f"  {entrant.name:<24} {rates[entrant.name][-1]:7.0f} results/s")
    return as_markdown(rates, after, payments.batches(), rounds)


def as_markdown(
    rates: Mapping[str, Sequence[float]],
    after: Sequence[Activated],
    batches: Mapping[int, Mapping[str, float]],
    rounds: int,
) -> str:
    """The page."""
    ceiling = statistics.median(rates[CEILING.name])
    lines = [
        "# Payments",
        "",
        machine(rounds, "python -m tests.benchmark.payments --write"),
        "",
        "The work: one `collection.result.v1` of a signed order is validated, claimed in an inbox, "
        "booked on its collection, the order is brought to where it stands, and two events say so "
        "(`collection.booked`, `customer.released`); each is confirmed by the broker. Every result "
        "is another customer's. Billing writes no mail upon money that came. The loop by "
        "hand has the rules without which nobody may be released, and stops at everything else.",
        "",
        "| | results/s, median | min–max | of the ceiling |",
        "|---|---|---|---|",
    ]
    for name, found in rates.items():
        median = statistics.median(found)
        lines.append(
            f"| {name} | {median:,.0f} | {min(found):,.0f}–{max(found):,.0f} | "
            f"{median / ceiling:.2f} |"
        )
    lines += [
        "",
        f"Activation then hears both, of "
        f"{statistics.median(one.heard_per_second for one in after):,.0f} customers a second. "
        f"Of those who are released, staff then activate {ACTIVATED} over HTTP "
        f"(`POST /api/activations/{{id}}`), {STAFF} at a time: "
        f"{statistics.median(one.pace.per_second for one in after):,.0f} a second, the slowest "
        f"twentieth in {statistics.median(one.pace.p95 for one in after):.0f} ms or more (p95). "
        "The very process that answers makes and sends their mails.",
        "",
        "## What a result costs, by the size of its batch",
        "",
        "Milliseconds of the processor for each message, in the process alone, without a broker; "
        "the database's own share is not in it.",
        "",
        "| batch | Stappenplan | by hand |",
        "|---|---|---|",
    ]
    for size, by in batches.items():
        lines.append(f"| {size} | {by[OURS.name]:.3f} ms | {by[CEILING.name]:.3f} ms |")
    return "\n".join([*lines, ""])


def say_aloud(line: str) -> None:
    """Tell whoever waits."""
    print(line, flush=True)  # noqa: T201 - a command line's voice.


def main(words: Sequence[str]) -> None:
    """Run it, and write the results down when asked to."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark.payments")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of customers")
    parser.add_argument("--write", action="store_true", help=f"write {PAYMENTS_PAGE.name}")
    asked = parser.parse_args(words)
    with ExitStack() as servers:
        rabbitmq, postgres = start_rabbitmq(), start_postgres(durable=True)
        servers.callback(rabbitmq.close)
        servers.callback(postgres.close)
        page = measure_payments(Payments(rabbitmq, postgres, asked.scale), asked.rounds, say_aloud)
    say_aloud(f"\n{page}")
    if asked.write:
        PAYMENTS_PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
