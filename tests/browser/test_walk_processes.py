"""The same seven steps where each service is a process of its own, on RabbitMQ and PostgreSQL.

People know one address: that of a reverse proxy, which sends each path to the service whose it is.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infra.composition import service_names
from shared.host.settings import Settings
from tests.browser.open_pages import OpenPages, TwoSeconds
from tests.browser.people import take_seven_steps
from tests.browser.visitors import Visitors
from tests.browser.walk import OFFICE, Walk
from tests.e2e.api import Api
from tests.e2e.proxy import reverse_proxy, routing_table
from tests.e2e.stage import Stage, four_processes
from tests.servers.management import url_of_vhost
from tests.servers.postgres import Databases
from tests.servers.premises import LOOPBACK, free_ports
from tests.servers.rabbitmq import RabbitMQ

pytestmark = pytest.mark.slow
COMPANY = "Timmerbedrijf De Zaag"


@pytest.fixture(scope="module")
def stage(
    rabbitmq: RabbitMQ, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """Four processes behind a proxy, whose address is the only one that anybody is told."""
    folder, (port,) = tmp_path_factory.mktemp("walk-processes"), free_ports(1)
    vhost = rabbitmq.management.new_vhost()
    address = databases.make_each(service_names())
    settings = Settings(
        data_dir=folder,
        broker_url=url_of_vhost(rabbitmq.url, vhost),
        database_url=address,
        public_url=f"http://{LOOPBACK}:{port}",
    )
    with (
        four_processes(settings) as stage,
        reverse_proxy(port, routing_table(folder / "routes"), stage.addresses),
    ):
        by_proxy = dict.fromkeys(service_names(), settings.public_url)
        yield replace(stage, addresses=by_proxy, http={})
    rabbitmq.management.delete_vhost(vhost)
    for name in service_names():
        databases.drop(address.replace("{service}", name))


@pytest.fixture
def origin(stage: Stage) -> str:
    return stage.settings.public_url


def test_seven_steps_are_taken_behind_one_address(stage: Stage, person: Visitors) -> None:
    # Given four processes that know of each other only by events, When people take the seven
    # steps, Then each of them needs but one address, and all arrive.
    stage.open_office(OFFICE, review="always")
    take_seven_steps(Walk(stage, person))


def test_open_pages_hear_at_once_of_what_other_processes_do(stage: Stage, person: Visitors) -> None:
    # Given a customer who waits for a signature, and whoever has a page about them open
    stage.open_office(OFFICE)
    api = Api(stage)
    pages = OpenPages(Walk(stage, person), api, COMPANY)
    # When KING records the signature and collects, Then all of them see it, through the proxy.
    assert api.sign(pages.order).status_code == 202
    TwoSeconds().show(*pages.paid(COMPANY))


def test_no_path_is_two_services(tmp_path: Path) -> None:
    # Given the pages and calls of all services, When the proxy asks whose is which
    table = routing_table(tmp_path)
    # Then every service has its own, and what nobody has goes to the front page's.
    assert set(table.values()) == set(service_names())
    assert table["/"] == table["/status"] == "activation"
    assert (table["/sign"], table["/signup"]) == ("billing", "signup")
