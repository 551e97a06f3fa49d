"""The command line on databases of another version, and on one database for all services."""

import sqlite3
from contextlib import closing

import pytest

from infra.composition import service_names
from tests.integration.command_line.shell import Shell

ONE_FOR_ALL = "sqlite:///{data_dir}/all.db"


@pytest.fixture(scope="module")
def rolled_back(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """This version, put back after a later one had brought every database further."""
    shell = Shell(tmp_path_factory.mktemp("rolled_back"), {})
    assert shell("db", "upgrade").returncode == 0
    for name in service_names():
        with closing(sqlite3.connect(shell.data_dir / f"{name}.db")) as database, database:
            database.execute("UPDATE alembic_version SET version_num = substr(version_num, 1, "
                             "length(version_num) - 4) || '9000'")  # fmt: skip
    return shell


def words(text: str) -> str:
    """What was printed, however it was broken into lines."""
    return " ".join(text.split())


def test_after_a_rollback_every_command_goes_on_and_none_advises_an_upgrade(
    rolled_back: Shell,
) -> None:
    # When each command is used that opens databases, Then it does its work.
    for command in (
        ["token", "list"],
        ["dead", "list"],
        ["office", "list"],
        ["audit"],
        ["replay", "billing"],
        ["topology", "definitions", "--passwords", str(rolled_back.data_dir / "passwords")],
    ):
        answer = rolled_back(*command)
        assert answer.returncode == 0, (command, answer.stderr)
        assert "db upgrade" not in answer.stdout + answer.stderr
    answer = rolled_back("status", "Nobody")
    assert "nobody is found" in answer.stderr


def test_after_a_rollback_the_doctor_says_that_the_schema_is_newer_and_nothing_is_to_be_done(
    rolled_back: Shell,
) -> None:
    findings = {it["check"]: it for it in rolled_back.json("doctor", "--json")}
    assert all(it["ok"] for it in findings.values())
    told = findings["schema of billing"]["finding"]
    assert told == (
        "newer than this version (billing_9000, shared_9000): fine while both run, "
        "`stappenplan db upgrade` is not needed"
    )


def test_an_upgrade_leaves_a_newer_schema_as_it_is_and_says_so(rolled_back: Shell) -> None:
    answer = rolled_back("db", "upgrade")
    assert answer.returncode == 0
    assert answer.stdout.splitlines() == [
        f"{name}: is newer than this version ({', '.join(sorted([f'{name}_9000', 'shared_9000']))})"
        "; left so"
        for name in service_names()
    ]


@pytest.mark.parametrize(
    "command", [["run"], ["db", "upgrade"], ["token", "list"], ["replay", "billing"]]
)
def test_one_database_for_all_services_is_refused_in_words(
    shell: Shell, command: list[str]
) -> None:
    # Given an address without {service},
    shell.settings["DATABASE_URL"] = ONE_FOR_ALL
    # When a command needs the databases of several services, Then it is refused, and nothing made.
    answer = shell(*command)
    assert answer.returncode == 2
    assert "stappenplan: STAPPENPLAN_DATABASE_URL leads " in answer.stderr
    assert "Traceback" not in answer.stderr
    assert "write {service}" in answer.stderr
    assert not (shell.data_dir / "all.db").exists()


def test_the_doctor_says_that_one_database_is_too_few(shell: Shell) -> None:
    shell.settings["DATABASE_URL"] = ONE_FOR_ALL
    answer = shell("doctor")
    assert answer.returncode == 1
    assert "write {service}" in words(answer.stdout)
    assert "Traceback" not in answer.stdout + answer.stderr
