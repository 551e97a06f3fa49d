"""Fixtures for every test: real servers, started when the first test asks for one."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.servers.management import url_of_vhost
from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgres import Databases, MakeDatabase, Postgres, start_postgres
from tests.servers.premises import ServerError
from tests.servers.rabbitmq import RabbitMQ, start_rabbitmq

# Tests start hundreds of processes: each would compile our own sources anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

TESTS = Path(__file__).parent
SLOW = frozenset({"tests/browser/gallery", "tests/browser/harness"})
"""The parts of pages by themselves, and what looks at pages: the pages' own tests stand on both."""
# What is tried must not depend on the day: a red run is red again, and nobody else's change is
# held up by what chance found. `make slow` looks further, wherever chance leads.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("search", derandomize=False, deadline=None, max_examples=2000)
settings.load_profile("steady")

SERVERS = {"rabbitmq", "postgres", "pgbouncer"}
WITHOUT_SERVERS = {"unit", "contract", "house"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with its folder's name, so that `-m unit` picks what it says.

    A folder whose mark is not declared in pyproject.toml stops the run. So does a test that asks
    for a server in a folder that promises to need none.
    """
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        # The mark `faults` has a meaning of its own: what `make test` leaves out.
        if folder != "faults":
            item.add_marker(folder)
        if item.path.parent.relative_to(TESTS.parent).as_posix() in SLOW:
            item.add_marker("slow")
        fixtures = set(getattr(item, "fixturenames", ()))
        if folder in WITHOUT_SERVERS and fixtures & SERVERS:
            raise pytest.UsageError(f"{item.nodeid} needs a server: it belongs elsewhere")


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[RabbitMQ]:
    """A real broker, shared by the session: use `vhost` for a place of your own in it."""
    try:
        server = start_rabbitmq()
    except ServerError as error:
        pytest.fail(str(error), pytrace=False)
    yield server
    server.close()


@pytest.fixture
def vhost(rabbitmq: RabbitMQ) -> Iterator[str]:
    """The AMQP address of a fresh virtual host, deleted afterwards."""
    name = rabbitmq.management.new_vhost()
    yield url_of_vhost(rabbitmq.url, name)
    rabbitmq.management.delete_vhost(name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real database server, shared by the session: use `make_database` for a place in it."""
    try:
        server = start_postgres()
    except ServerError as error:
        pytest.fail(str(error), pytrace=False)
    yield server
    server.close()


@pytest.fixture(scope="session")
def pgbouncer(postgres: Postgres) -> Iterator[PgBouncer]:
    """A pooler in transaction mode before the session's database server."""
    try:
        pooler = PgBouncer(postgres)
    except ServerError as error:
        pytest.fail(str(error), pytrace=False)
    yield pooler
    pooler.close()


@pytest.fixture(scope="session")
def databases(postgres: Postgres) -> Iterator[Databases]:
    """Makes and drops databases."""
    databases = Databases(postgres)
    yield databases
    databases.drop_templates()


@pytest.fixture
def make_database(databases: Databases) -> Iterator[MakeDatabase]:
    """A factory of fresh databases, dropped afterwards."""
    made: list[str] = []

    def make(name: str, prepare: Callable[[str], object] | None = None) -> str:
        made.append(databases.make(name, prepare))
        return made[-1]

    yield make
    for url in made:
        databases.drop(url)
