"""Where the contenders meet: a broker and a database, emptied for each turn, and a stopwatch."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pika  # noqa: TID251  The referee is nobody's colleague.
import psycopg

from infra.composition import build_service, topology
from shared.host.settings import Settings
from shared.messaging.bus import Outgoing, PublishResult
from shared.messaging.rabbitmq import RabbitBus
from shared.messaging.topology.declare import apply
from shared.persistence.database import Database
from shared.persistence.schema import upgrade
from tests.benchmark.load import ACCEPTED, NEXT
from tests.benchmark.roster import ROOT
from tests.servers.management import url_of_vhost
from tests.servers.postgres import Databases, Postgres
from tests.servers.rabbitmq import RabbitMQ

QUEUE = "registration"
LISTENER = "activation"
"""This queue gets both events that follow; when it has them all, the work is done."""


@dataclass(frozen=True)
class Arena:
    """One turn's broker and database."""

    broker_url: str
    database_url: str
    folder: Path
    opened: float = 0.0
    """Seconds of the clock on the wall; rows from before then were there already."""

    @property
    def dsn(self) -> str:
        """The database's address as psycopg and libpq know it."""
        return self.database_url.replace("postgresql+psycopg://", "postgresql://")

    @property
    def environment(self) -> dict[str, str]:
        """What a contender's process sees."""
        return {
            **os.environ,
            "STAPPENPLAN_BROKER_URL": self.broker_url,
            "STAPPENPLAN_DATABASE_URL": self.database_url,
            "STAPPENPLAN_DATA_DIR": str(self.folder),
            "STAPPENPLAN_HTTP_PORT": "0",
            "STAPPENPLAN_LOG_LEVEL": "warning",
            "BENCH_BROKER_URL": self.broker_url,
            "BENCH_DATABASE_URL": self.dsn,
        }

    @contextmanager
    def channel(self) -> Iterator[Any]:
        """A line of the referee's own."""
        with closing(pika.BlockingConnection(pika.URLParameters(self.broker_url))) as line:
            yield line.channel()

    def depth(self, channel: Any, queue: str) -> int:
        """How many messages wait on a queue."""
        return int(channel.queue_declare(queue, passive=True).method.message_count)

    def started(self) -> float:
        """When the first message was claimed, in seconds of the clock on the wall."""
        with psycopg.connect(self.dsn) as database:
            found = database.execute(
                "SELECT extract(epoch FROM min(received_at)) FROM inbox"
                " WHERE received_at >= to_timestamp(%s)",
                [self.opened],
            )
            return float((found.fetchone() or [0])[0])

    def rows(self, table: str, since: str) -> int:
        """How many rows came into a table by this moment of theirs since the arena opened."""
        query = f"SELECT count(*) FROM {table} WHERE {since} >= to_timestamp(%s)"
        with psycopg.connect(self.dsn) as database:
            return int((database.execute(query, [self.opened]).fetchone() or [0])[0])


@contextmanager
def arena(rabbitmq: RabbitMQ, postgres: Postgres, folder: Path) -> Iterator[Arena]:
    """An empty virtual host with our topology, and an empty database with registration's schema."""
    with database_of_registration(postgres) as url, arena_at(rabbitmq, url, folder) as made:
        yield made


@contextmanager
def arena_at(rabbitmq: RabbitMQ, url: str, folder: Path) -> Iterator[Arena]:
    """An empty virtual host with our topology, at a database that is there already."""
    vhost = rabbitmq.management.new_vhost()
    made = Arena(url_of_vhost(rabbitmq.url, vhost), url, folder, time.time())
    apply(topology(Settings()), made.broker_url)
    try:
        yield made
    finally:
        rabbitmq.management.delete_vhost(vhost)


@contextmanager
def database_of_registration(postgres: Postgres) -> Iterator[str]:
    """An empty database with registration's schema; its address."""
    databases = Databases(postgres)
    migrations = build_service(QUEUE, Settings()).migrations

    def prepare(url: str) -> None:
        database = Database(url)
        upgrade(database, migrations)
        database.close()

    url = databases.make("bench", prepare)
    try:
        yield url
    finally:
        databases.drop(url)
        databases.drop_templates()


def fill(place: Arena, bodies: Sequence[bytes], queue: str = QUEUE) -> None:
    """Put messages on a queue, each confirmed, hundreds under way at once."""
    bus = RabbitBus(place.broker_url, queue=None, name="load")
    bus.open()
    for start in range(0, len(bodies), 2000):
        part = bodies[start : start + 2000]
        said = [Outgoing(json.loads(body)["id"], ACCEPTED, body, queue=queue) for body in part]
        assert set(bus.publish(said).result(60)) == {PublishResult.CONFIRMED}
    bus.close()


def fill_by_client(
    place: Arena, command: Sequence[str], environment: Mapping[str, str], bodies: Sequence[bytes]
) -> None:
    """Put messages on a queue by the contender's own client, in its own format."""
    subprocess.run(
        command,
        input=b"\n".join(bodies) + b"\n",
        env={**place.environment, **environment},
        cwd=ROOT,
        check=True,
    )


@contextmanager
def contender(
    command: Sequence[str], place: Arena, extra: Mapping[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    """A contender's process, stopped in good order afterwards."""
    log = (place.folder / "contender.log").open("ab")
    process = subprocess.Popen(
        command,
        env={**place.environment, **extra},
        cwd=ROOT,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()


def drain(
    place: Arena,
    count: int,
    patience: float = 240,
    *,
    listener: str = LISTENER,
    follow: int = len(NEXT),
) -> float:
    """Wait until all that follows is on the listener's queue; the events per second."""
    wanted = count * follow
    deadline = time.monotonic() + patience
    with place.channel() as channel:
        while place.depth(channel, listener) < wanted:
            if time.monotonic() > deadline:
                have = place.depth(channel, listener)
                raise TimeoutError(f"{have} of {wanted} after {patience} s; see {place.folder}")
            threading.Event().wait(0.02)
        ended = time.time()
    assert place.rows("registration", "heard_at") == count
    assert place.rows("inbox", "received_at") == count
    return count / (ended - place.started())
