"""The four combinations on which the same end-to-end tests run, and one by a pooler besides."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from infra.composition import service_names
from shared.host.settings import Settings
from tests.e2e.stage import Stage, four_processes, one_process
from tests.servers.management import url_of_vhost
from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgres import Databases
from tests.servers.rabbitmq import RabbitMQ

Run = Callable[[Settings], AbstractContextManager[Stage]]
OF_FOUR_PROCESSES, HALF_EMBEDDED = "four-processes", "rabbitmq+sqlite"
COMBINATIONS: dict[str, tuple[str, str, Run]] = {
    "embedded+sqlite": ("embedded", "sqlite", one_process),
    HALF_EMBEDDED: ("rabbitmq", "sqlite", one_process),
    "rabbitmq+postgresql": ("rabbitmq", "postgresql", one_process),
    OF_FOUR_PROCESSES: ("rabbitmq", "postgresql", four_processes),
}
BY_A_POOLER = "rabbitmq+pgbouncer"
"""The walk alone is tried on it (`test_by_a_pooler.py`)."""
WALKED_BY_ALL = "test_seven_steps.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave to `make slow` what other combinations do alike, save the seven steps themselves.

    Four processes do as one does, and each broker and each database is tried without the half of
    both.
    """
    for item in items:
        beside = item.path.parent == Path(__file__).parent and item.path.name != WALKED_BY_ALL
        if beside and (OF_FOUR_PROCESSES in item.nodeid or HALF_EMBEDDED in item.nodeid):
            item.add_marker("slow")


@pytest.fixture(scope="module", params=COMBINATIONS)
def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """A running Stappenplan with KING's stand-in and the office 0042."""
    beside = {BY_A_POOLER: ("rabbitmq", "pgbouncer", one_process)}
    broker, database, run = (COMBINATIONS | beside)[request.param]
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"), http_port=0)
    chosen: dict[str, str] = {}
    undo: list[Callable[[], object]] = []
    if broker == "rabbitmq":
        rabbitmq: RabbitMQ = request.getfixturevalue("rabbitmq")
        vhost = rabbitmq.management.new_vhost()
        undo.append(lambda: rabbitmq.management.delete_vhost(vhost))
        chosen["broker_url"] = url_of_vhost(rabbitmq.url, vhost)
    if database != "sqlite":
        databases: Databases = request.getfixturevalue("databases")
        address = databases.make_each(service_names())
        undo.append(lambda: _drop(databases, address))
        chosen["database_url"] = address
    if database == "pgbouncer":
        # With two sessions for each database, so that they change hands all the time.
        pooler = PgBouncer(request.getfixturevalue("postgres"), pool_size=2)
        undo.insert(0, pooler.close)
        chosen["database_url"] = pooler.before(address)
    with run(settings.model_copy(update=chosen)) as stage:
        yield stage
    for step in undo:
        step()


def _drop(databases: Databases, address: str) -> None:
    for name in service_names():
        databases.drop(address.replace("{service}", name))


@pytest.fixture(scope="module")
def data_dir(stage: Stage) -> Path:
    """Where its mails and texts lie."""
    return stage.settings.data_dir
