"""A broker with the users of the product, as its own command makes them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shared.messaging.topology import ADMIN
from tests.integration.bus.privileges.users import OFFICES, USERS, Broker
from tests.integration.command_line.shell import Shell
from tests.servers.rabbitmq import RabbitMQ


@contextmanager
def imported(rabbitmq: RabbitMQ, vhost: str, folder: Path) -> Iterator[Broker]:
    """The file, as the command prints it, imported; its users go afterwards."""
    present = {user["name"] for user in rabbitmq.management.call("GET", "/users")}
    ours = {ADMIN, *USERS}
    assert present.isdisjoint(ours), "this broker serves a Stappenplan: the tests leave it alone"
    passwords = folder / "passwords.json"
    offices = [word for office in OFFICES for word in ("--office", office)]
    name = urlsplit(vhost).path.removeprefix("/")
    words = ("topology", "definitions", *offices, "--vhost", name, "--passwords", str(passwords))
    definitions = Shell(folder, {}).json(*words)
    rabbitmq.management.call("POST", "/definitions", definitions)
    yield Broker(vhost, json.loads(passwords.read_text()), definitions)
    for user in ours:
        rabbitmq.management.call("DELETE", f"/users/{user}")


@pytest.fixture
def broker(rabbitmq: RabbitMQ, vhost: str, tmp_path: Path) -> Iterator[Broker]:
    """One for each test."""
    with imported(rabbitmq, vhost, tmp_path) as broker:
        yield broker
