"""The brokers that the suite runs over."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shared.messaging.topology import ADMIN
from tests.integration.bus.exchanges import EmbeddedExchange, Exchange, RabbitExchange
from tests.integration.bus.privileges import OFFICES, USERS, Broker
from tests.integration.command_line.shell import Shell
from tests.servers.rabbitmq import RabbitMQ


@pytest.fixture(params=["embedded", "rabbitmq"])
def exchange(request: pytest.FixtureRequest) -> Iterator[Exchange]:
    """Each broker in turn, with the topology in it."""
    if request.param == "embedded":
        made: Exchange = EmbeddedExchange()
    else:
        made = RabbitExchange(request.getfixturevalue("vhost"))
    yield made
    made.close()


@pytest.fixture
def rabbit(vhost: str) -> Iterator[RabbitExchange]:
    """RabbitMQ alone, for what only a real broker can do."""
    made = RabbitExchange(vhost)
    yield made
    made.close()


@pytest.fixture
def broker(rabbitmq: RabbitMQ, vhost: str, tmp_path: Path) -> Iterator[Broker]:
    """The file, as the command prints it, imported; its users go afterwards."""
    there = {one["name"] for one in rabbitmq.management.call("GET", "/users")}
    ours = {ADMIN, *USERS}
    assert there.isdisjoint(ours), "this broker serves a Stappenplan: the tests leave it alone"
    passwords = tmp_path / "passwords.json"
    offices = [word for office in OFFICES for word in ("--office", office)]
    name = urlsplit(vhost).path.removeprefix("/")
    words = ("topology", "definitions", *offices, "--vhost", name, "--passwords", str(passwords))
    answer = Shell(tmp_path, {})(*words)
    assert answer.returncode == 0, answer.stderr
    rabbitmq.management.call("POST", "/definitions", json.loads(answer.stdout))
    yield Broker(vhost, json.loads(passwords.read_text()))
    for user in ours:
        rabbitmq.management.call("DELETE", f"/users/{user}")
