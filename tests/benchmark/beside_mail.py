"""What mails cost the consumer: billing's events a second, with them and without.

    python -m tests.benchmark.beside_mail [--events 6000] [--rounds 3]

Turn and turn about, in one run: no mails at all, a process that delivers beside one that consumes,
and both in one process. Each event leads to two mails with a document; what is measured is how
fast the events are consumed meanwhile.
"""

import argparse
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg

from infra.run.runtimes import BusFactory
from shared.host.role import Role
from shared.host.settings import Settings
from shared.messaging.bus import Outgoing, PublishResult
from tests.benchmark.drill import environment, grounds, ready, say
from tests.benchmark.load import accepted
from tests.benchmark.roster import ROOT
from tests.servers.postgres import start_postgres
from tests.servers.premises import free_ports, wait_until
from tests.servers.rabbitmq import start_rabbitmq

GOLDEN = ROOT / "tests" / "contract" / "golden" / "registration.completed.v1.json"
PRODUCT = "infra.cli"
WITHOUT_MAILS = "tests.benchmark.mailing"
BILLING = ("run", "billing")
WAYS: Mapping[str, Sequence[Sequence[str]]] = {
    "none": [(WITHOUT_MAILS, *BILLING)],
    "beside": [
        (PRODUCT, *BILLING, "--only", Role.DELIVER),
        (PRODUCT, *BILLING, "--only", Role.CONSUME),
    ],
    "within": [(PRODUCT, *BILLING)],
}
CONSUMED = """
    SELECT count(*), extract(epoch FROM max(received_at) - min(received_at)),
           (SELECT count(*) FROM notification WHERE status = 'sent'
            AND sent_at <= (SELECT max(received_at) FROM inbox
                            WHERE type = 'registration.completed.v1'))
    FROM inbox WHERE type = 'registration.completed.v1'
"""


def registrations(count: int) -> Iterator[Outgoing]:
    """So many customers were registered, each another."""
    like = json.loads(GOLDEN.read_text(encoding="utf-8"))
    for number, event in enumerate(accepted(count)):
        asked = event["data"]
        data = like["data"] | {"customer_number": f"K-{number:06}"}
        data |= {name: asked[name] for name in ("customer", "package", "payer")}
        document = like | {"id": str(uuid4()), "subject": event["subject"], "data": data}
        body = json.dumps(document).encode()
        yield Outgoing(document["id"], document["type"], body, queue="billing")


def turn(settings: Settings, way: str, count: int, folder: Path) -> tuple[float, int]:
    """Events a second, and how many mails had left when the last event was consumed."""
    line = BusFactory(settings).bus("website", consume=False)
    line.open()
    messages = list(registrations(count))
    for start in range(0, count, 1000):
        results = line.publish(messages[start : start + 1000]).result(120)
        assert set(results) == {PublishResult.CONFIRMED}
    line.close()
    with ExitStack() as running:
        for words in WAYS[way]:
            running.enter_context(_billing(words, settings, folder))
        return _consumed(settings, count)


@contextmanager
def _billing(words: Sequence[str], settings: Settings, folder: Path) -> Iterator[None]:
    """A process of billing; one that only delivers is ready when this begins."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", *words]
    with (folder / "billing.log").open("ab") as log:
        process = subprocess.Popen(
            command, env=environment(settings, port), cwd=ROOT, stdout=log, stderr=log
        )
    try:
        if Role.DELIVER in words:
            wait_until(lambda: ready(port, process), "it is ready to deliver")
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _consumed(settings: Settings, count: int, patience: float = 240) -> tuple[float, int]:
    address = settings.database_url_of("billing").replace("+psycopg", "")
    deadline = time.monotonic() + patience
    with psycopg.connect(address, autocommit=True) as database:
        while time.monotonic() < deadline:
            row = database.execute(CONSUMED).fetchone()
            if row is not None and row[0] == count:
                return count / float(row[1]), int(row[2])
            time.sleep(0.2)  # A look now and then costs the consumer nothing.
    raise TimeoutError(f"billing did not consume {count} events within {patience} s")


def main(words: Sequence[str]) -> None:
    """Run it, and print the medians and their ratios."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark.beside_mail")
    parser.add_argument("--events", type=int, default=6000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    asked = parser.parse_args(words)
    rates: dict[str, list[float]] = defaultdict(list)
    rabbitmq, postgres = start_rabbitmq(), start_postgres(durable=True)
    try:
        for _ in range(asked.rounds):
            for way in asked.ways:
                with tempfile.TemporaryDirectory() as name:
                    folder = Path(name)
                    with grounds(rabbitmq, postgres, folder) as settings:
                        rate, sent = turn(settings, way, asked.events, folder)
                rates[way].append(rate)
                say(f"{way:<6} {rate:7.0f} events/s, {sent} mails had left by then")
    finally:
        rabbitmq.close()
        postgres.close()
    medians = {way: statistics.median(found) for way, found in rates.items()}
    for way, median in medians.items():
        say(f"{way:<6} median {median:7.0f} events/s, {median / medians['none']:.2f} of none")


if __name__ == "__main__":
    main(sys.argv[1:])
