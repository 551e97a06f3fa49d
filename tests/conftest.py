"""Fixtures for every test: real servers, started when the first test asks for one."""

from collections.abc import Callable, Iterator

import pytest

from tests.servers.management import url_of_vhost
from tests.servers.postgres import Databases, MakeDatabase, Postgres, start_postgres
from tests.servers.premises import ServerError
from tests.servers.rabbitmq import RabbitMQ, start_rabbitmq


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
