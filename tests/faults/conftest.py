"""What the tests of faults stand on: servers that they may break, and a stage between them."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import pytest

from infra.composition import service_names
from shared.host.settings import Settings
from tests.crashes.ledger import Ledger
from tests.crashes.record import Entry, write_table
from tests.faults.stage import Stage, on_stage
from tests.servers.management import url_of_vhost
from tests.servers.postgres import Databases, Postgres, start_postgres
from tests.servers.premises import ServerError
from tests.servers.rabbitmq import RabbitMQ

SHORT = (
    "test_proxy.py",
    "test_connections_are_cut_during_commit",
)
"""What `make test` breaks each time; `make faults` breaks all of it."""

MakeStage = Callable[..., AbstractContextManager[Stage]]


@pytest.fixture(scope="session")
def durable_postgres() -> Iterator[Postgres]:
    """A database server that keeps what it has committed when it is killed."""
    try:
        server = start_postgres(durable=True)
    except ServerError as error:
        pytest.fail(str(error), pytrace=False)
    yield server
    server.close()


@pytest.fixture
def ground(rabbitmq: RabbitMQ, durable_postgres: Postgres, tmp_path: Path) -> Settings:
    """A virtual host and a database for each service, as the test itself reaches them.

    They are left to the end of the servers: RabbitMQ 3.10 stumbles when a queue with a place for
    its dead letters is deleted soon after a restart.
    """
    return Settings(
        broker_url=url_of_vhost(rabbitmq.url, rabbitmq.management.new_vhost()),
        database_url=Databases(durable_postgres).make_each(service_names()),
        data_dir=tmp_path,
    )


@pytest.fixture
def stage(ground: Settings) -> Iterator[Stage]:
    """All services in one process, under load."""
    with on_stage(ground) as stage:
        yield stage


class Note(Protocol):
    """Writes down what a fault did, and insists that nothing was lost or doubled."""

    def __call__(self, fault: str, ledger: Ledger, seconds: float, *, dead: int = 0) -> None:
        """`fault` says what was broken; so many messages must be dead, and no other."""


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Note:
    """The line in the table of faults: written before it is insisted upon."""

    def write(fault: str, ledger: Ledger, seconds: float, *, dead: int = 0) -> None:
        Entry(
            fault,
            ledger.submitted,
            lost=len(ledger.lost),
            duplicated=len(ledger.duplicated),
            dead=len(ledger.dead),
            mails_repeated=ledger.mails_repeated,
            seconds_to_recover=seconds,
        ).leave_with(request.node)
        print(f"{fault}: {ledger}; recovered in {seconds:.1f} s")  # noqa: T201
        ledger.insist(dead=dead)

    return write


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave what is not in the short selection to `make faults`."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and not any(part in item.nodeid for part in SHORT):
            item.add_marker(pytest.mark.faults)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Write the table of faults down, when asked to by STAPPENPLAN_TEST_LEDGER."""
    if not os.environ.get("STAPPENPLAN_TEST_LEDGER"):
        return
    write_table(terminalreporter)
