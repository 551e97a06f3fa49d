"""What the fault tests share: a plant to break, and the record of what came of it."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pytest

from infra.composition import service_names
from shared.host.settings import Settings
from tests.crashes.ledger import Ledger
from tests.crashes.plant import Plant, prepare
from tests.crashes.record import Entry
from tests.servers.management import url_of_vhost
from tests.servers.postgres import Databases
from tests.servers.premises import free_ports
from tests.servers.rabbitmq import RabbitMQ


class Record(Protocol):
    """Writes one run down for the table, whether it went well or not."""

    def __call__(
        self,
        *,
        fault: str,
        submitted: int,
        ledger: Ledger,
        seconds_to_recover: float | None = None,
    ) -> None:
        """`fault` is what was broken, in words; runs with the same words share a line."""


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Record:
    """The recorder: call it before insisting on the ledger, so that a loss is written too."""

    def write(
        *,
        fault: str,
        submitted: int,
        ledger: Ledger,
        seconds_to_recover: float | None = None,
    ) -> None:
        print(f"{fault}: {ledger}")  # noqa: T201  pytest shows it when the test fails.
        Entry(
            fault,
            submitted,
            lost=len(ledger.lost),
            duplicated=len(ledger.duplicated),
            dead=len(ledger.dead),
            mails_repeated=ledger.mails_repeated,
            seconds_to_recover=seconds_to_recover,
        ).leave_with(request.node)

    return write


class MakePlant(Protocol):
    """Makes a plant."""

    def __call__(
        self, ground: str = "rabbitmq+postgresql", databases: Databases | None = None
    ) -> Plant:
        """On RabbitMQ and PostgreSQL, or `embedded+sqlite`.

        A test that kills its database server brings `databases` on a durable one of its own.
        """


@pytest.fixture
def make_plant(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakePlant]:
    """A factory of plants, cleared away afterwards."""
    undo: list[Callable[[], object]] = []

    def make(ground: str = "rabbitmq+postgresql", databases: Databases | None = None) -> Plant:
        chosen: dict[str, Any] = {"data_dir": tmp_path, "http_port": free_ports(1)[0]}
        if ground == "rabbitmq+postgresql":
            rabbitmq: RabbitMQ = request.getfixturevalue("rabbitmq")
            vhost = rabbitmq.management.new_vhost()
            undo.append(lambda: rabbitmq.management.delete_vhost(vhost))
            chosen["broker_url"] = url_of_vhost(rabbitmq.url, vhost)
            databases = databases or request.getfixturevalue("databases")
            address = databases.make_each(service_names())
            undo.extend(
                partial(databases.drop, address.replace("{service}", name))
                for name in service_names()
            )
            chosen["database_url"] = address
        settings = Settings(**chosen)
        prepare(settings)
        plant = Plant(settings)
        undo.append(plant.close)
        return plant

    yield make
    for step in reversed(undo):
        step()


@pytest.fixture
def plant(make_plant: MakePlant) -> Plant:
    """A plant on real RabbitMQ and real PostgreSQL, not yet started."""
    return make_plant()
