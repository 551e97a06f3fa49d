"""A folder with some of its databases: what looks makes no new one in place of one that is lost."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import copytree

import pytest
from structlog.testing import capture_logs

from infra.composition import service_names
from infra.run.supervisor import Supervisor
from shared.host.settings import Settings
from tests.integration.command_line.shell import Shell

BACKUP = "restore it from a backup"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every service's database."""
    shell = Shell(tmp_path_factory.mktemp("whole"), {})
    assert shell("db", "upgrade").returncode == 0
    return shell.data_dir


@pytest.fixture
def lost(whole: Path, tmp_path: Path) -> Iterator[Shell]:
    """The same, from which billing's was lost; what looks has not made it when the test ends."""
    shell = without(whole, tmp_path, ["billing"])
    yield shell
    assert sorted(shell.data_dir.glob("billing.db*")) == []


def without(whole: Path, tmp_path: Path, names: Sequence[str]) -> Shell:
    folder = copytree(whole, tmp_path / "data")
    for name in names:
        for file in folder.glob(f"{name}.db*"):
            file.unlink()
    return Shell(folder, {})


@pytest.mark.parametrize(
    "words",
    [
        ("dead", "list"),
        ("dead", "list", "--json"),
        ("dead", "list", "billing"),
        ("dead", "show", "billing", "x"),
        ("dead", "retry", "--all"),
        ("token", "list"),
        ("token", "list", "--json"),
        ("token", "revoke", "x"),
        ("replay", "signup"),
        ("audit",),
    ],
    ids=" ".join,
)
def test_what_looks_names_a_database_that_is_lost_and_what_to_do(
    lost: Shell, words: tuple[str, ...]
) -> None:
    # Given a folder that has lost billing's database,
    # When somebody looks into it, or gives back what lies there,
    answer = lost(*words)
    # Then it is refused in a sentence, and no script is told that nothing is there.
    assert (answer.returncode, answer.stdout) == (1, "")
    (sentence,) = answer.stderr.splitlines()
    assert sentence == (
        f"stappenplan: {lost.data_dir / 'billing.db'} is not there, while the databases of other "
        f"services are: {BACKUP}; or, if billing never ran in this folder, start it once with "
        "`stappenplan run`"
    )


def test_the_doctor_fails_on_a_database_that_is_lost(lost: Shell) -> None:
    answer = lost("doctor", "--json")
    assert answer.returncode == 1
    checks = {row["check"]: row for row in json.loads(answer.stdout)}
    assert [name for name, row in checks.items() if not row["ok"]] == ["database billing"]
    billing = checks["database billing"]
    assert str(lost.data_dir / "billing.db") in billing["finding"]
    assert BACKUP in billing["advice"]
    assert "`stappenplan run`" in billing["advice"]


@pytest.mark.parametrize(
    "words", [("office", "list"), ("dead", "list", "signup"), ("status", "nobody")], ids=" ".join
)
def test_what_needs_only_the_others_does_its_work(lost: Shell, words: tuple[str, ...]) -> None:
    assert "not there" not in lost(*words).stderr


def test_a_service_alone_in_its_folder_is_looked_into_by_its_name(
    whole: Path, tmp_path: Path
) -> None:
    # Given signup, which runs alone in a folder of its own, beside a broker,
    others = [name for name in service_names() if name != "signup"]
    shell = without(whole, tmp_path, others)
    shell.settings["BROKER_URL"] = "amqp://nobody:hush@127.0.0.1:1/"
    # When somebody asks for its dead letters, Then they are told;
    assert shell("dead", "list", "signup").stdout == "nothing is dead\n"
    # When they ask for everybody's, Then each that is not there is named, with how it is started,
    told = shell("dead", "list").stderr
    assert all(str(shell.data_dir / f"{name}.db") in told for name in others)
    assert "restore them from a backup" in told
    assert f"`stappenplan run {' '.join(others)}`" in told
    # and none of them is made.
    assert [file.name for file in shell.data_dir.glob("*.db")] == ["signup.db"]


def test_a_start_makes_a_database_beside_others_and_warns(whole: Path, tmp_path: Path) -> None:
    # Given a folder that billing's database is not in, lost or never made,
    folder = without(whole, tmp_path, ["billing"]).data_dir
    # When the services start there, Then they do, and the log names the one that is new.
    assert new_at_a_start(folder) == [("billing", str(folder / "billing.db"))]
    assert (folder / "billing.db").exists()
    # When they start again, Then there is nothing to warn of.
    assert new_at_a_start(folder) == []


def test_the_first_start_of_all_warns_of_nothing(tmp_path: Path) -> None:
    assert new_at_a_start(tmp_path) == []


def new_at_a_start(folder: Path) -> list[tuple[str, str]]:
    """The databases of which a start says that it makes them beside others."""
    with capture_logs() as lines, Supervisor(Settings(data_dir=folder, http_port=0)):
        pass
    warned = [line for line in lines if line["event"] == "database_made_beside_others"]
    assert all(line["log_level"] == "warning" and BACKUP in line["advice"] for line in warned)
    return [(line["service"], line["file"]) for line in warned]


@pytest.mark.parametrize(
    "words", [("db", "upgrade"), ("token", "create", "--scope", "orders:read", "--all-offices")]
)
def test_what_is_to_write_makes_it_and_warns(
    whole: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    shell = without(whole, tmp_path, ["billing"])
    answer = shell(*words)
    assert answer.returncode == 0
    (line,) = map(json.loads, answer.stderr.splitlines())
    assert (line["event"], line["service"]) == ("database_made_beside_others", "billing")
