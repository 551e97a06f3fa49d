"""`stappenplan topology show`: who hears what, and who may do what, for a person and a script."""

import json

from infra.composition import topology
from shared.host.settings import Settings
from shared.messaging.bus import EXCHANGE
from shared.messaging.topology import definitions
from tests.integration.command_line.shell import Shell

WIDTH = 100


def test_a_script_is_shown_all_that_the_broker_is_told(shell: Shell) -> None:
    # Given what RabbitMQ would import, but for the passwords,
    offices = ["0042", "0077"]
    imported = definitions(topology(Settings()), offices).document
    # When a script asks for the topology of the same offices,
    shown = shell.json("topology", "show", "--json", "--office", "0042", "--office", "0077")
    # Then it is shown the exchange, and every queue, binding, user and permission,
    exchange = imported["exchanges"][0]
    assert shown["exchange"].items() <= exchange.items()
    assert shown["exchange"]["name"] == EXCHANGE
    for part in (
        "exchanges",
        "queues",
        "bindings",
        "permissions",
        "topic_permissions",
        "policies",
    ):
        expected = [{k: v for k, v in row.items() if k != "vhost"} for row in imported[part]]
        assert shown[part] == expected, part
    assert [user["name"] for user in shown["users"]] == [user["name"] for user in imported["users"]]
    # nothing of a password,
    assert "password" not in json.dumps(shown)
    # and, as before, who hears and says what.
    listeners = {listener["name"]: listener for listener in shown["listeners"]}
    assert listeners["activation"]["says"] == [
        "customer.activated.v1",
        "customer.logged_in.v1",
        "customer.contact_changed.v1",
    ]
    assert "customer.released.v1" in listeners["activation"]["hears"]


def test_a_person_is_shown_the_same_on_one_page(shell: Shell) -> None:
    # When a person looks at it, on a terminal of a hundred columns,
    answer = shell("topology", "show")
    assert answer.returncode == 0, answer.stderr
    lines = answer.stdout.splitlines()
    # Then it fits, and no name is cut.
    assert max(len(line) for line in lines) <= WIDTH
    assert len(lines) <= 60
    wanted = topology(Settings())
    assert EXCHANGE in answer.stdout
    for user in wanted.with_offices(["0042"]).users():
        assert user in answer.stdout
    for queue, _arguments in wanted.queues():
        assert queue in answer.stdout
    for binding in wanted.bindings():
        assert binding.event_type in answer.stdout
    for exchange in wanted.with_offices(["0042"]).exchanges():
        assert exchange in answer.stdout
    assert "…" not in answer.stdout
