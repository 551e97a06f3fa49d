"""The seven steps where everybody logs in as his own user of the definitions, and nobody else."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import quote, urlsplit, urlunsplit

import pytest
from sqlalchemy import select

from infra.composition import KING, service_names
from infra.demo.demonstration import Demonstration
from infra.demo.simulators import website
from infra.operations.dead_letters.decisions import drop
from infra.operations.dead_letters.letters import find
from shared.host.settings import Settings
from shared.messaging.topology import ADMIN, website_exchange
from shared.processing import Person
from shared.processing.store.tables import Outbox
from tests.e2e.foreign_client import amqp_publish
from tests.e2e.stage import Stage, four_processes
from tests.integration.command_line.shell import Shell
from tests.servers.postgres import Databases
from tests.servers.premises import wait_until
from tests.servers.rabbitmq import RabbitMQ

OFFICES = ("0042", "9999")
"""The example office, and the one of the example that signs up for an office nobody knows."""
USERS = (*service_names(), KING.name, *(f"website-{office}" for office in OFFICES))


Login = Callable[[str], str]


@pytest.fixture(scope="module")
def logins(rabbitmq: RabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Login]:
    """A broker that has imported exactly `stappenplan topology definitions`: each one's address."""
    there = {user["name"] for user in rabbitmq.management.call("GET", "/users")}
    assert there.isdisjoint({ADMIN, *USERS}), "this broker serves a Stappenplan: leave it alone"
    folder = tmp_path_factory.mktemp("data")
    vhost = rabbitmq.management.new_vhost()
    offices = [word for office in OFFICES for word in ("--office", office)]
    file = folder / "passwords.json"
    words = ("topology", "definitions", *offices, "--vhost", vhost, "--passwords", str(file))
    rabbitmq.management.call("POST", "/definitions", Shell(folder, {}).json(*words))
    yield partial(address, rabbitmq.url, vhost, json.loads(file.read_text()))
    rabbitmq.management.delete_vhost(vhost)
    for user in (ADMIN, *USERS):
        rabbitmq.management.call("DELETE", f"/users/{user}")


@pytest.fixture(scope="module")
def stage(
    logins: Login, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """Four processes on that broker, each as its own user."""
    databases_url = databases.make_each(service_names())
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("data"),
        http_port=0,
        broker_url="amqp://{service}:nothing@127.0.0.1:1/",
        database_url=databases_url,
    )
    assert settings.strict_publishers
    with four_processes(settings, partial(as_each, logins)) as stage:
        yield stage
    for name in service_names():
        databases.drop(databases_url.replace("{service}", name))


def address(broker: str, vhost: str, passwords: dict[str, str], user: str) -> str:
    """The broker's address for one user."""
    parts = urlsplit(broker)
    netloc = f"{user}:{quote(passwords[user], safe='')}@{parts.hostname}:{parts.port}"
    return urlunsplit(parts._replace(netloc=netloc, path=f"/{quote(vhost, safe='')}"))


def as_each(logins: Login, user: str) -> str:
    """The same, as a setting that says that everybody has a user of their own."""
    return logins(user).replace(f"//{user}:", "//{service}:")


def test_a_client_that_sets_nothing_but_exchange_key_and_body_is_believed(
    stage: Stage, logins: Login
) -> None:
    # Given a website that publishes with a client that cannot say who it is,
    (document,) = website.signups(1)
    onboarding = document["subject"]
    # When it signs a customer up by its own exchange,
    url = logins("website-0042")
    amqp_publish(url, website_exchange("0042"), document["type"], json.dumps(document))
    # Then it is heard although every service wants the broker to vouch for it,
    wait_until(lambda: "INSCHRIJVEN" in stage.done(onboarding), "signup has accepted it", 30)
    # and what another office's website says in its name is a dead letter.
    (forged,) = website.signups(1)
    url = logins("website-9999")
    amqp_publish(url, website_exchange("9999"), forged["type"], json.dumps(forged))
    opened = stage.databases()
    wait_until(lambda: len(find(opened)) == 1, "signup has refused it", 30)
    (letter,) = find(opened)
    assert letter.error == (
        "signup.submitted.v1 must come by the exchange stappenplan.website.0042, "
        "not by stappenplan.website.9999"
    )
    drop(opened["signup"], letter.id, by=Person("anna"), why="forged", at=stage.clock())
    for database in opened.values():
        database.close()


def test_least_privilege_is_enough_for_all_seven_steps(stage: Stage) -> None:
    # Given services, KING and websites that may each do no more than the definitions give them,
    shown = Demonstration(stage.addresses, stage.key, stage.settings.data_dir, stage.king)
    # When the example customers sign up and everyone does what is his turn,
    shown.emit(stage.line, [*website.examples(), *website.examples(valid=False)])
    shown.play(lambda *_: None, patience=60)
    # Then all that are valid have logged in, and all others were told what is wrong.
    assert shown.underway == []
    journeys = shown.journeys.values()
    assert len([journey for journey in journeys if journey.complete]) == len(website.examples())
    assert len([journey for journey in journeys if journey.rejected]) == len(
        website.examples(valid=False)
    )
    # Nothing was refused on the way: by no service, and by the broker neither.
    opened = stage.databases()
    assert find(opened) == []
    for database in opened.values():
        with database.read() as session:
            said = session.execute(select(Outbox)).scalars()
            assert [(event.type, event.error) for event in said if event.error] == []
        database.close()
