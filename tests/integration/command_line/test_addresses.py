"""Addresses and settings as people type them: they work, or end in a sentence and exit code 2."""

from urllib.parse import quote, urlsplit, urlunsplit

import pytest

from tests.contract.test_golden_events import GOLDEN
from tests.integration.command_line.shell import Shell
from tests.servers.rabbitmq import RabbitMQ

PASSWORD = "com,ma:%40/?#[x]"


def test_a_comma_in_the_brokers_password_is_the_passwords(
    broker_shell: Shell, rabbitmq: RabbitMQ
) -> None:
    # Given a broker's user whose password holds a comma, and every other sign there is,
    parts = urlsplit(broker_shell.settings["BROKER_URL"])
    user = f"comma-{parts.path[-6:]}"
    rabbitmq.management.call("PUT", f"/users/{user}", {"password": PASSWORD, "tags": ""})
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    rabbitmq.management.call("PUT", f"/permissions{parts.path}/{user}", everything)
    # When it stands in the address, the comma as it is,
    login = f"{user}:{quote(PASSWORD, safe=',:')}"
    broker_shell.settings["BROKER_URL"] = urlunsplit(
        parts._replace(netloc=f"{login}@{parts.hostname}:{parts.port}")
    )
    answer = broker_shell("topology", "apply")
    rabbitmq.management.call("DELETE", f"/users/{user}")
    # Then the broker takes it.
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("command", [("doctor",), ("topology", "apply"), ("run",)])
def test_everything_that_is_wrong_is_told_at_once_and_no_piece_of_a_password(
    shell: Shell, command: tuple[str, ...]
) -> None:
    # Given settings with more than one slip in them,
    shell.settings["BROKER_URL"] = "amqp://user:pie@ce@127.0.0.1:1/"
    shell.settings["DATABASE_URL"] = "postgresql+psycopg://user:pie@ce@127.0.0.1:1/x_{service}"
    shell.settings["MANAGEMENT_URL"] = "http://user:pie/ce@127.0.0.1:1"
    shell.settings["PUBLIC_URL"] = "stappenplan.example"
    shell.settings["CREDITOR_ADRESS"] = "Kade 1"
    shell.settings["OIDC_ISSUER"] = "http://login.example"
    # When any command runs,
    told = shell("--log-level", "error", *command)
    # Then each slip has its line, whether this command needs that setting or not.
    assert told.returncode == 2
    named = [line.partition(":")[0] for line in told.stderr.splitlines()]
    assert sorted(named) == [
        f"STAPPENPLAN_{name}"
        for name in ("BROKER_URL", "CREDITOR_ADRESS", "DATABASE_URL", "MANAGEMENT_URL",
                     "OIDC_ISSUER", "PUBLIC_URL")
    ]  # fmt: skip
    assert "ce@" not in told.stderr
    assert "pie" not in told.stderr + told.stdout


def test_an_option_that_nobody_understands_ends_in_a_sentence(shell: Shell) -> None:
    shell.settings["BROKER_URL"] = "amqp://user:piece@127.0.0.1:1/?heart=piece"
    told = shell("run", "billing")
    assert (told.returncode, "Traceback" in told.stderr, "piece" in told.stderr) == (
        2,
        False,
        False,
    )
    assert "STAPPENPLAN_BROKER_URL" in told.stderr


@pytest.mark.parametrize("command", [("run",), ("office", "list"), ("status", "Bakkerij")])
def test_a_data_folder_that_can_be_none_is_told_by_every_command(
    shell: Shell, command: tuple[str, ...]
) -> None:
    # Given a file where the data folder should be, When any command runs,
    shell.settings["DATA_DIR"] = __file__
    told = shell(*command)
    # Then that is said, in a sentence.
    assert told.returncode == 2
    (line,) = told.stderr.splitlines()
    assert line.startswith("STAPPENPLAN_DATA_DIR: ")


def test_a_data_folder_that_cannot_be_made_is_told_in_a_sentence(shell: Shell) -> None:
    shell.settings["DATA_DIR"] = "/proc/nothing-can-be-made-here"
    for command in (("run",), ("db", "upgrade")):
        told = shell(*command)
        assert told.returncode == 2
        assert "set STAPPENPLAN_DATA_DIR" in told.stderr
        assert "Traceback" not in told.stderr


@pytest.mark.parametrize("since", ["2026-11-24T09:30:00", "0001-01-01T00:00:00+01:00", "1"])
def test_a_moment_that_machines_would_read_differently_is_refused(shell: Shell, since: str) -> None:
    # When a queue is to be served again since a moment without an offset, or out of the calendar,
    told = shell("replay", "billing", "--since", since)
    # Then how it is written is told, and nothing is sent.
    assert told.returncode == 2
    assert "2026-11-24T09:30:00+01:00" in told.stderr


def test_an_event_finds_a_process_that_listens_to_ipv6_alone(shell: Shell) -> None:
    # Given nobody at an address with colons in it, When an event is emitted there,
    shell.settings["HTTP_HOST"] = "::1"
    shell.settings["HTTP_PORT"] = "1"
    told = shell("emit", str(GOLDEN / "signup.submitted.v1.json"))
    # Then that address was asked, and not a piece of it.
    assert told.returncode == 1
    assert told.stderr.startswith("nothing answers at http://[::1]:1/api/events")


def test_a_host_that_is_nowhere_is_told_by_its_own_setting(shell: Shell) -> None:
    shell.settings["HTTP_HOST"] = "nowhere.invalid"
    told = shell("run")
    assert told.returncode == 1
    assert "set STAPPENPLAN_HTTP_HOST" in told.stderr
