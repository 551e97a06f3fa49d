"""`stappenplan doctor` names a binding that is missing, as far as it can be seen."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pika  # noqa: TID251  A foreign client, to break what no service may.
import pytest

from infra.demo.simulators import website
from infra.run.supervisor import Supervisor
from shared.messaging.bus import EXCHANGE, Outgoing
from tests.integration.command_line.shell import Shell
from tests.servers.premises import wait_until
from tests.servers.rabbitmq import RabbitMQ

ACCEPTED = "signup.accepted.v1"


@pytest.fixture
def unbind(broker_shell: Shell) -> Callable[..., None]:
    """Takes bindings away from a broker that had them all."""
    assert broker_shell("topology", "apply").returncode == 0

    def from_queues(*queues: str) -> None:
        url = broker_shell.settings["BROKER_URL"]
        connection = pika.BlockingConnection(pika.URLParameters(url))
        for queue in queues:
            connection.channel().queue_unbind(queue, EXCHANGE, ACCEPTED)
        connection.close()

    return from_queues


def bindings(shell: Shell) -> dict[str, Any]:
    """What the doctor says of them."""
    (finding,) = [
        finding
        for finding in json.loads(shell("doctor", "--json").stdout)
        if finding["check"] == "bindings"
    ]
    return dict(finding)


def test_with_the_management_interface_each_missing_binding_is_named(
    broker_shell: Shell, unbind: Callable[..., None], rabbitmq: RabbitMQ
) -> None:
    # Given one of two bindings of an event lost, which no publisher can notice,
    broker = urlsplit(rabbitmq.url)
    management = urlsplit(rabbitmq.management.address)
    login = f"{broker.username}:{broker.password}@{management.netloc}"
    broker_shell.settings["MANAGEMENT_URL"] = urlunsplit(management._replace(netloc=login))
    assert bindings(broker_shell)["ok"]
    unbind("registration")
    # When the doctor looks, Then it names that one alone, and says what to do.
    finding = bindings(broker_shell)
    assert finding["finding"] == f"missing: {ACCEPTED} → registration"
    assert "topology apply" in finding["advice"]
    assert "replay" in finding["advice"]
    # Without that interface, applying makes bindings and no users, who would outlast this test.
    address = broker_shell.settings.pop("MANAGEMENT_URL")
    assert broker_shell("topology", "apply").returncode == 0
    broker_shell.settings["MANAGEMENT_URL"] = address
    assert bindings(broker_shell)["ok"]


def test_an_event_that_came_back_shows_what_is_missing_without_it(
    broker_shell: Shell, unbind: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given that nobody is left to hear an event, and signup at work,
    broker_shell.settings["HTTP_PORT"] = "0"
    first = bindings(broker_shell)
    assert (first["ok"], "MANAGEMENT_URL" in first["finding"]) == (True, True)
    unbind("registration", "activation")
    broker_shell("office", "add", "0042", "--name", "K", "--email", "kantoor@voorbeeld.example")
    with Supervisor(broker_shell.read_settings(monkeypatch), ["signup"]) as running:
        # When it says that event,
        line = running.buses.bus("website", consume=False)
        line.open()
        (event,) = website.signups(1)
        line.publish([Outgoing(event["id"], event["type"], json.dumps(event).encode())]).result(20)
        line.close()
        # Then the doctor names both bindings from the event that waits;
        wait_until(lambda: not bindings(broker_shell)["ok"], "the event has come back", 30)
        finding = bindings(broker_shell)["finding"]
    assert f"{ACCEPTED} → registration" in finding
    assert f"{ACCEPTED} → activation" in finding


def test_a_management_interface_that_does_not_answer_is_said_so_without_its_password(
    broker_shell: Shell, unbind: Callable[..., None]
) -> None:
    broker_shell.settings["MANAGEMENT_URL"] = "http://admin:hush@127.0.0.1:1"
    answer = broker_shell("doctor", "--json")
    assert answer.returncode == 1
    assert "STAPPENPLAN_MANAGEMENT_URL" in answer.stdout
    assert "hush" not in answer.stdout + answer.stderr
