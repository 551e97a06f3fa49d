"""Replicas that start at one moment on a fresh database: each makes ready, none is in the way."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Barrier, Event

import pytest
from sqlalchemy import Connection, delete, event, func, select, text
from sqlmodel import SQLModel

from infra.composition import build_service, publisher_rules, senders
from services.registration.models import BaseAdministration
from services.signup.models import Office
from shared.host.runtime import Runtime
from shared.host.settings import Settings
from shared.persistence.schema import is_sufficient, upgrade
from shared.processing.testing import RecordingBus
from tests.servers.postgres import MakeDatabase
from tests.servers.premises import wait_until

ROUNDS = 3
WAITING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND datname = current_database()"
)
SHIPPED: dict[str, type[SQLModel]] = {"registration": BaseAdministration, "signup": Office}
"""What a service writes at its first start."""


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a fresh database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/fresh.db"
    make_database: MakeDatabase = request.getfixturevalue("make_database")
    return make_database("fresh")


@contextmanager
def replicas(name: str, address: str, folder: Path, count: int) -> Iterator[list[Runtime]]:
    """So many replicas of a service on one database."""
    settings = Settings(database_url=address, data_dir=folder)
    with ExitStack() as stack:
        runtimes = []
        for _ in range(count):
            runtime = Runtime(
                build_service(name, settings),
                settings,
                RecordingBus(),
                senders(settings),
                publisher_rules(settings),
            )
            stack.enter_context(closing(runtime.database))
            runtimes.append(runtime)
        yield runtimes


def start_together(runtimes: list[Runtime]) -> None:
    """Each in a thread of its own, all at one moment; raises what one of them died of."""
    at_once = Barrier(len(runtimes))

    def start(runtime: Runtime) -> None:
        runtime.database.answers()
        at_once.wait()
        runtime.prepare()

    with ThreadPoolExecutor(len(runtimes)) as pool:
        for started in [pool.submit(start, runtime) for runtime in runtimes]:
            started.result(60)


def count(runtime: Runtime, table: type[SQLModel]) -> int:
    with runtime.database.read() as session:
        return int(session.execute(select(func.count()).select_from(table)).scalar_one())


def test_eight_replicas_start_at_once_on_an_empty_database(address: str, tmp_path: Path) -> None:
    # Given eight replicas of a service, and a database without a table,
    with replicas("registration", address, tmp_path, 8) as runtimes:
        # When they start at one moment, Then none dies, the schema is there,
        start_together(runtimes)
        assert is_sufficient(runtimes[0].database, runtimes[0].service.migrations)
        # and what ships with the product is there once, after several such starts as well.
        for _ in range(ROUNDS):
            assert count(runtimes[0], BaseAdministration) == 1
            with runtimes[0].database.begin() as session:
                session.execute(delete(BaseAdministration))
            start_together(runtimes)
        assert count(runtimes[0], BaseAdministration) == 1


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_what_another_replica_is_about_to_write_is_not_written_again(
    name: str, make_database: MakeDatabase, tmp_path: Path
) -> None:
    with replicas(name, make_database(name), tmp_path, 2) as (first, second):
        # Given a replica that has written what ships with the product, and has not committed yet,
        upgrade(first.database, first.service.migrations)
        about_to_commit, go_on = Event(), Event()

        def hold(_connection: Connection) -> None:
            about_to_commit.set()
            go_on.wait(60)

        event.listen(first.database.engine, "commit", hold)
        with ThreadPoolExecutor(2) as pool:
            starting = pool.submit(first.prepare)
            assert about_to_commit.wait(60)
            # When another one starts at this moment,
            also = pool.submit(second.prepare)
            wait_until(lambda: also.done() or waits(second), "the second waits for the first")
            go_on.set()
            # Then both go on, and it is there once.
            starting.result(60)
            also.result(60)
        assert count(second, SHIPPED[name]) == 1


def waits(runtime: Runtime) -> bool:
    """Whether somebody waits for a lock in this replica's database."""
    with runtime.database.engine.connect() as connection:
        return bool(connection.execute(text(WAITING)).scalar_one())
