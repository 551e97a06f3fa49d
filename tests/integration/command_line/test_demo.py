"""`stappenplan demo`: all seven steps, whoever may say what and wherever mail goes."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from infra.composition import KING, service_names
from infra.demo.simulators import website
from shared.messaging.topology.topology import ADMIN
from tests.integration.command_line.shell import Shell
from tests.servers.rabbitmq import RabbitMQ

USERS = (*service_names(), KING.name, "website-0042", ADMIN)


def test_customers_read_their_mail_as_files_and_whoever_set_another_way_is_told(
    shell: Shell,
) -> None:
    # Given somebody who has mail and texts go out by AWS,
    shell.settings.update(MAIL="ses", SMS="sns")
    # When he runs the demonstration, Then it works without, and says so.
    answer = shell("demo", "--customers", "2")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    output = " ".join(answer.stdout.split())
    assert "STAPPENPLAN_MAIL=ses and STAPPENPLAN_SMS=sns are left aside" in output
    assert list(shell.data_dir.glob("mail/*.eml"))


def test_nothing_is_said_of_mail_when_files_are_what_was_set(shell: Shell) -> None:
    answer = shell("demo", "--customers", "1")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "left aside" not in answer.stdout


def test_it_ends_by_naming_the_page_where_its_customers_are_seen(shell: Shell) -> None:
    # Given somebody whose pages have an address of their own,
    shell.settings["PUBLIC_URL"] = "https://stappenplan.kantoor.example"
    # When the demonstration ends, Then its last line is that page, whatever port it had itself.
    answer = shell("demo", "--customers", "1")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    last = answer.stdout.splitlines()[-1]
    assert last == ("Look at them: `stappenplan run`, then https://stappenplan.kantoor.example/")


@pytest.fixture
def users_of_their_own(rabbitmq: RabbitMQ, vhost: str, tmp_path: Path) -> Iterator[Shell]:
    """A broker with the users of the definitions, whose passwords one address can tell."""
    there = {user["name"] for user in rabbitmq.management.call("GET", "/users")}
    assert there.isdisjoint(USERS), "this broker serves a Stappenplan: leave it alone"
    shell = Shell(tmp_path, {})
    file = tmp_path / "passwords.json"
    file.write_text(json.dumps({user: f"{user}-of-old" for user in USERS}))
    parts = urlsplit(vhost)
    name = parts.path.removeprefix("/")
    document = shell.json("topology", "definitions", "--vhost", name, "--passwords", str(file))
    rabbitmq.management.call("POST", "/definitions", document)
    netloc = f"{{service}}:{{service}}-of-old@{parts.hostname}:{parts.port}"
    shell.settings["BROKER_URL"] = urlunsplit(parts._replace(netloc=netloc))
    yield shell
    for user in USERS:
        rabbitmq.management.call("DELETE", f"/users/{user}")


@pytest.mark.parametrize("strict", ["false", "true"])
def test_everybody_plays_his_part_under_his_own_user(
    users_of_their_own: Shell, strict: str
) -> None:
    # Given a broker on which everybody has a user of his own,
    shell = users_of_their_own
    shell.settings["STRICT_PUBLISHERS"] = strict
    # When the demonstration is run, whose fourth customer has the office pay for them,
    answer = shell("demo", "--customers", "4")
    # Then all arrive, those who must be are rejected, and nothing that was said is dead.
    assert answer.returncode == 0, answer.stdout + answer.stderr
    # Where the broker vouches for websites, none can speak for an office that is not there.
    rejected = len(website.examples(valid=False)) - (strict == "true")
    assert f"4 customers logged in, {rejected} sign-ups rejected" in answer.stdout
    for service in service_names():
        assert shell.json("dead", "list", service, "--json") == []
