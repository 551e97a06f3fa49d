"""The backlog drill: many sign-ups at once, through six processes, until all may be activated.

    python -m tests.benchmark.drill [--customers 50000] [--write]

Everything is real: RabbitMQ, PostgreSQL that waits for its disk, `stappenplan run` for each
service, the documents and the mails. The mails go to a folder, from which the drill's payers take
them; they sign over HTTP what they find, and KING's stand-in collects.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from infra.composition import KING, service_names
from infra.demo.simulators.king import KingBilling
from infra.run.runtimes import BusFactory
from shared.host.role import Role
from shared.host.settings import Settings
from tests.benchmark.drill_report import Drilled, as_markdown, peak_of, processor_seconds_of
from tests.benchmark.figures import Figures
from tests.benchmark.outside import Payers, open_office, submit
from tests.benchmark.roster import ROOT
from tests.scopes import token_for
from tests.servers.management import url_of_vhost
from tests.servers.postgres import Databases, Postgres, start_postgres
from tests.servers.premises import free_ports, wait_until
from tests.servers.rabbitmq import RabbitMQ, start_rabbitmq

RESULTS = Path(__file__).parent / "DRILL.md"
PROGRAM = Path(sys.executable).with_name("stappenplan")
PROCESSES: Mapping[str, Sequence[str]] = {
    "activation": ["activation"],
    "billing": ["billing", "--only", Role.CONSUME],
    "billing's mails": ["billing", "--only", Role.DELIVER],
    "billing's mails, too": ["billing", "--only", Role.DELIVER],
    "registration": ["registration"],
    "signup": ["signup"],
}
"""Billing's mails carry documents, which take long to make: they have processes of their own."""
LOOK_EVERY = 5.0
STANDSTILL = 180.0
"""Seconds without any progress after which something must be wrong."""
OFFICE = {
    "name": "Administratiekantoor Voorbeeld",
    "email": "kantoor@voorbeeld.example",
    "language": "nl",
    "review": "flagged",
}


def say(line: str) -> None:
    """Tell whoever waits."""
    print(line, flush=True)  # noqa: T201 - a command line's voice.


class Standstill(Exception):
    """Nothing moves any more; the message says how far it came."""


@contextmanager
def grounds(rabbitmq: RabbitMQ, postgres: Postgres, folder: Path) -> Iterator[Settings]:
    """A virtual host with our topology and four databases with our schema, made by the product."""
    vhost = rabbitmq.management.new_vhost()
    databases = Databases(postgres)
    settings = Settings(
        broker_url=url_of_vhost(rabbitmq.url, vhost),
        database_url=databases.make_each(service_names()),
        data_dir=folder,
    )
    for chore in (["db", "upgrade"], ["topology", "apply"]):
        subprocess.run([PROGRAM, *chore], env=environment(settings), check=True, cwd=ROOT)
    try:
        yield settings
    finally:
        rabbitmq.management.delete_vhost(vhost)
        for name in service_names():
            databases.drop(settings.database_url_of(name))


def environment(settings: Settings, port: int = 0) -> dict[str, str]:
    """What a service's process sees."""
    return {
        **os.environ,
        "STAPPENPLAN_BROKER_URL": settings.broker_url,
        "STAPPENPLAN_DATABASE_URL": settings.database_url,
        "STAPPENPLAN_DATA_DIR": str(settings.data_dir),
        "STAPPENPLAN_HTTP_PORT": str(port),
        "STAPPENPLAN_LOG_LEVEL": "warning",
        "STAPPENPLAN_SIGNUPS_PER_OFFICE_HOUR": "1000000",
    }


@contextmanager
def service(name: str, port: int, settings: Settings) -> Iterator["subprocess.Popen[bytes]"]:
    """One of PROCESSES, ready; stopped in good order afterwards."""
    command = [str(PROGRAM), "run", *PROCESSES[name]]
    with (settings.data_dir / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment(settings, port), stdout=log, stderr=log)
        try:
            wait_until(lambda: ready(port, process), f"{name} is ready")
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def ready(port: int, process: "subprocess.Popen[bytes]") -> bool:
    """Whether the service there is ready.

    Raises:
        RuntimeError: its process has ended.
    """
    if process.poll() is not None:
        raise RuntimeError("a service ended before it was ready")
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def drill(settings: Settings, customers: int) -> Drilled:
    """Submit them all, and wait until all may be activated and all mail has left."""
    ports = dict(zip(PROCESSES, free_ports(len(PROCESSES)), strict=True))
    token = token_for(settings.signing_key(), name="drill")
    lines = BusFactory(settings)
    with ExitStack() as running:
        processes = {
            name: running.enter_context(service(name, port, settings))
            for name, port in ports.items()
        }
        figures = Figures(settings.database_url, service_names())
        running.callback(figures.close)
        line, king = lines.bus("website", consume=False), KingBilling(lines.bus(KING.name))
        payers = Payers(settings.data_dir / "mail", f"127.0.0.1:{ports['billing']}", token)
        line.open()
        running.callback(line.close)
        king.start()
        running.callback(king.stop)
        open_office(f"http://127.0.0.1:{ports['signup']}", token, OFFICE)
        payers.start()
        running.callback(payers.stop)
        began = time.monotonic()
        submit(line, customers)
        submitted = time.monotonic() - began
        say(f"{customers} sign-ups submitted in {submitted:.1f} s")
        ready = _await(customers, figures, began)
        return Drilled(
            customers=customers,
            submitting=submitted,
            seconds=ready,
            all_mail=time.monotonic() - began,
            steps=figures.steps(),
            left=figures.left(),
            kinds=figures.kinds(),
            read=dict(payers.received),
            doubled=payers.doubled,
            handled={name: figures.handled(name) for name in service_names()},
            mailed={name: figures.mailed(name) for name in service_names()},
            documents=figures.documents(),
            peaks={name: peak_of(process.pid) for name, process in processes.items()},
            processor={
                name: processor_seconds_of(process.pid) for name, process in processes.items()
            },
        )


def _await(customers: int, figures: Figures, began: float) -> float:
    """Show how far it is until all is done; returns when all were ready, in seconds."""
    ready = 0.0
    moved, before = time.monotonic(), (dict[str, int](), dict[str, int]())
    while True:
        now = figures.steps(), figures.left()
        passed = time.monotonic() - began
        counts = " · ".join(f"{step} {count}" for step, count in now[0].items())
        say(f"{passed:6.0f} s  {counts} · mails to go {now[1]['mails not sent']}")
        if now[0]["ready to activate"] >= customers and not ready:
            ready = passed
        if set(now[0].values()) == {customers} and not any(now[1].values()):
            return ready
        if now != before:
            moved, before = time.monotonic(), now
        if time.monotonic() - moved > STANDSTILL:
            raise Standstill(f"nothing moves any more: {now}")
        threading.Event().wait(LOOK_EVERY)


def main(words: Sequence[str]) -> None:
    """Run it, and write the results down when asked to."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark.drill")
    parser.add_argument("--customers", type=int, default=50_000)
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    asked = parser.parse_args(words)
    closing: list[Callable[[], None]] = []
    try:
        rabbitmq = start_rabbitmq()
        closing.append(rabbitmq.close)
        postgres = start_postgres(durable=True)
        closing.append(postgres.close)
        with (
            tempfile.TemporaryDirectory() as folder,
            grounds(rabbitmq, postgres, Path(folder)) as settings,
        ):
            found = drill(settings, asked.customers)
    finally:
        for close in closing:
            close()
    report = as_markdown(found)
    say("\n" + report)
    if asked.write:
        RESULTS.write_text(report, encoding="utf-8")
    if found.faults:
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
