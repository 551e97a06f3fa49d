"""`stappenplan token`, `office`, `db`, `doctor`, `contract` and `--help`."""

import json
import socket
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from shared.host.settings import Settings
from shared.web.token_reading import read_token
from tests.integration.command_line.shell import PROGRAM, Shell

LEVELS = get_args(Settings.model_fields["log_level"].annotation)
COMMANDS = (
    "run", "demo", "emit", "topology", "replay", "dead", "contract", "db", "token", "office",
    "doctor",
)  # fmt: skip


def test_help_names_every_command(shell: Shell) -> None:
    answer = shell("--help")
    assert answer.returncode == 0
    assert [command for command in COMMANDS if command not in answer.stdout] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(shell: Shell, command: str) -> None:
    answer = shell(command, "--help")
    assert answer.returncode == 0
    assert "Usage" in answer.stdout


def test_wrong_usage_is_told_apart_from_failure(shell: Shell) -> None:
    assert shell("emit").returncode == 2
    assert shell("replay", "payroll").returncode == 2
    assert shell("nonsense").returncode == 2


def test_a_setting_that_makes_no_sense_is_named(shell: Shell) -> None:
    shell.settings["HTTP_PORT"] = "eighty"
    answer = shell("office", "list")
    assert answer.returncode == 2
    assert "STAPPENPLAN_HTTP_PORT" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_log_level_that_is_none_is_refused_with_those_there_are(shell: Shell) -> None:
    answer = shell("--log-level", "foo", "office", "list")
    assert answer.returncode == 2
    assert "foo" in answer.stderr
    assert [level for level in LEVELS if level not in answer.stderr] == []
    assert "Traceback" not in answer.stderr
    assert shell("--log-level", "WARNING", "office", "list").returncode == 0


def test_a_token_stands_alone_on_standard_output(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    # When KING's back office makes a token for an office,
    answer = shell(
        "token", "create", "--scope", "users:activate", "--scope", "onboardings:read",
        "--office", "0042", "--days", "7",
    )  # fmt: skip
    # Then the output is that token and nothing else, and it carries what was asked.
    settings = shell.read_settings(monkeypatch)
    caller = read_token(settings.signing_key(), answer.stdout.strip())
    assert (caller.scopes, caller.office) == (
        frozenset({"users:activate", "onboardings:read"}),
        "0042",
    )


def test_the_key_that_signs_tokens_is_for_its_owner_alone(shell: Shell) -> None:
    shell("token", "create", "--scope", "orders:read", "--all-offices")
    assert (shell.data_dir / "token.key").stat().st_mode & 0o777 == 0o600


def test_an_unknown_scope_is_refused_with_those_there_are(shell: Shell) -> None:
    answer = shell("token", "create", "--scope", "everything", "--all-offices")
    assert answer.returncode == 2
    assert "users:activate" in answer.stderr


def test_the_databases_are_brought_to_the_current_schema_once(shell: Shell) -> None:
    first, second = shell("db", "upgrade"), shell("db", "upgrade")
    assert first.stdout.count("brought to the current schema") == 4
    assert second.stdout.count("is current") == 4


def test_the_contract_is_printed_for_machines(shell: Shell) -> None:
    assert "customer.released.v1" in shell.json("contract", "schemas")
    assert shell.json("contract", "asyncapi")["asyncapi"].startswith("3.")


def test_the_doctor_finds_nothing_wrong_with_a_fresh_machine_and_makes_nothing(
    shell: Shell,
) -> None:
    answer = shell("doctor")
    assert answer.returncode == 0, answer.stdout
    assert list(shell.data_dir.glob("*.db")) == []


def test_the_doctor_says_what_to_do_about_databases_of_an_older_version(
    shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "billing.db").touch()
    answer = shell("doctor")
    assert answer.returncode == 1
    assert "stappenplan db upgrade" in " ".join(answer.stdout.split())


def test_the_doctor_says_that_the_broker_does_not_answer(shell: Shell) -> None:
    # Given an address at which nothing listens,
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    shell.settings["BROKER_URL"] = f"amqp://user:hush@127.0.0.1:{port}/"
    # When the doctor looks, Then it says so, and never the password.
    answer = shell("doctor", "--json")
    assert answer.returncode == 1
    (broker,) = [finding for finding in json.loads(answer.stdout) if finding["check"] == "broker"]
    assert not broker["ok"]
    assert "STAPPENPLAN_BROKER_URL" in broker["advice"]
    assert "hush" not in answer.stdout + answer.stderr


def test_the_doctor_misses_what_was_not_applied(broker_shell: Shell) -> None:
    # Given a broker in which nothing is declared,
    before = broker_shell("doctor")
    assert before.returncode == 1
    assert "topology apply" in " ".join(before.stdout.split())
    # When the topology is applied, Then nothing is missing.
    assert broker_shell("topology", "apply").returncode == 0
    assert broker_shell("doctor").returncode == 0


def test_a_broker_that_is_away_costs_one_sentence(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    shell.settings["BROKER_URL"] = f"amqp://guest:guest@127.0.0.1:{port}/"
    answer = shell("topology", "apply")
    assert answer.returncode == 1
    assert answer.stderr.startswith("stappenplan: the broker cannot be reached")
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("words", [("topology", "show"), ("contract", "schemas")])
def test_what_finds_no_room_to_write_says_so(shell: Shell, words: tuple[str, ...]) -> None:
    # Given a full disk, When a command's output goes there,
    with open("/dev/full", "w", encoding="utf-8") as full:
        answer = subprocess.run(
            [PROGRAM, *words],
            env=shell.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=120,
        )
    # Then that is said, in a sentence.
    assert answer.returncode == 1
    assert answer.stderr.decode() == "stappenplan: No space left on device\n"


@pytest.mark.parametrize(
    "words",
    [
        ("dead", "list"),
        ("dead", "show", "signup", "x"),
        ("dead", "retry", "--all"),
        ("token", "list"),
        ("token", "revoke", "x"),
        ("office", "list"),
        ("replay", "signup"),
        ("status", "S-2026-000001"),
        ("audit",),
    ],
    ids=" ".join,
)
def test_to_look_into_a_folder_that_is_not_there_does_not_make_it(
    shell: Shell, words: tuple[str, ...]
) -> None:
    # Given a slip in the name of the data folder,
    elsewhere = replace(shell, data_dir=shell.data_dir / "slip")
    # When somebody looks for what is dead, for a token, for an office, or would send events again,
    answer = elsewhere(*words)
    # Then they hear where nothing is, instead of that all is well; and nothing is made there.
    assert answer.returncode == (0 if words[-1] == "list" else 1)
    assert answer.stdout == ""
    told = " ".join(answer.stderr.split())
    assert "slip" in told
    assert "made by the first `stappenplan run`" in told
    assert not elsewhere.data_dir.exists()
