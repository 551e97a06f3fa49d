"""A database that cannot be used is told with whose it is, where it is, and who knows more."""

import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.command_line.shell import PROGRAM, Shell
from tests.servers.premises import free_ports

CREATE = ("token", "create", "--scope", "orders:read", "--all-offices")
DOCTOR = "; `stappenplan doctor` says what to do"
IN_A_WORLD = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
"""A mount of its own: whoever runs the tests as root may write any file otherwise."""


@pytest.fixture
def made(shell: Shell) -> Shell:
    """A folder with every service's database."""
    assert shell("db", "upgrade").returncode == 0
    shell.settings["HTTP_PORT"] = str(free_ports(1)[0])
    return shell


@pytest.fixture
def damaged(made: Shell) -> Shell:
    """The same, of which billing's is damaged."""
    (made.data_dir / "billing.db").write_bytes(b"no database at all " * 1000)
    return made


@pytest.fixture
def away(shell: Shell) -> Iterator[Shell]:
    """A PostgreSQL that is away: nobody listens where it was."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        url = f"postgresql+psycopg://nobody:hush@{place}/stappenplan_{{service}}"
        shell.settings.update(DATABASE_URL=url, HTTP_PORT=str(free_ports(1)[0]))
        yield shell


@pytest.mark.parametrize(
    "words",
    [
        ("dead", "list"),
        ("token", "list"),
        ("replay", "signup"),
        ("db", "upgrade"),
        CREATE,
        ("run",),
    ],
    ids=" ".join,
)
def test_a_damaged_file_is_named_with_its_service(damaged: Shell, words: tuple[str, ...]) -> None:
    # When a command needs a database that is damaged, Then it says which, and who knows more.
    answer = damaged("--log-level", "error", *words)
    assert answer.returncode == 1
    (sentence,) = answer.stderr.splitlines()
    file = damaged.data_dir / "billing.db"
    assert sentence.startswith(f"stappenplan: the database of billing ({file}) says: ")
    assert "file is not a database" in sentence
    assert sentence.endswith(DOCTOR)


def test_the_doctor_says_what_to_do_about_a_damaged_file(damaged: Shell) -> None:
    billing = finding(damaged("doctor", "--json"))
    assert "file is not a database" in billing["finding"]
    assert "restore it from a backup" in billing["advice"]


def test_the_doctor_names_a_file_that_is_damaged_further_in(made: Shell) -> None:
    # Given a file that begins well, and is damaged from its second page on,
    file = made.data_dir / "billing.db"
    content = file.read_bytes()
    file.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    # When the doctor looks at it, Then it names that one, and goes on with the others.
    answer = made("doctor", "--json")
    billing = finding(answer)
    assert "malformed" in billing["finding"]
    assert "restore it from a backup" in billing["advice"]
    checks = {row["check"]: row["ok"] for row in json.loads(answer.stdout)}
    assert checks["database signup"]


@pytest.mark.parametrize("words", [CREATE, ("run",)], ids=" ".join)
def test_a_file_that_may_not_be_written_is_named_with_its_service(
    made: Shell, words: tuple[str, ...]
) -> None:
    answer = read_only(made, "--log-level", "error", *words)
    assert answer.returncode == 1
    (sentence,) = answer.stderr.splitlines()
    assert f"the database of billing ({made.data_dir / 'billing.db'}) says: " in sentence
    assert "readonly database" in sentence
    assert sentence.endswith(DOCTOR)


def test_the_doctor_says_what_to_do_about_a_file_that_may_not_be_written(made: Shell) -> None:
    billing = finding(read_only(made, "doctor", "--json"))
    assert billing["finding"] == f"this user may not write {made.data_dir / 'billing.db'}"
    assert "may read and write the file" in billing["advice"]


@pytest.mark.parametrize(
    "words",
    [
        ("dead", "list"),
        ("office", "list"),
        ("replay", "signup"),
        ("db", "upgrade"),
        CREATE,
        ("run",),
    ],
    ids=" ".join,
)
def test_a_server_that_is_away_is_named_without_the_password(
    away: Shell, words: tuple[str, ...]
) -> None:
    answer = away("--log-level", "error", *words)
    assert (answer.returncode, answer.stdout) == (1, "")
    (sentence,) = answer.stderr.splitlines()
    service = "signup" if words[0] in ("office", "replay") else "activation"
    place = away.settings["DATABASE_URL"].partition("@")[2].replace("{service}", service)
    assert sentence.startswith(f"stappenplan: the database of {service} ({place}) says: ")
    assert "refused" in sentence
    assert sentence.endswith(DOCTOR)
    assert "hush" not in sentence


def test_the_books_of_a_server_that_is_away_are_not_said_to_be_still_to_be_made(
    away: Shell,
) -> None:
    answer = away("audit")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "first `stappenplan run`" not in answer.stderr
    assert "does not answer" in answer.stderr
    assert answer.stderr.rstrip().endswith(DOCTOR)


def read_only(shell: Shell, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a command for which billing's database cannot be written."""
    if not can_mount(shell.data_dir / "billing.db"):
        pytest.skip("this machine lets nobody make mounts of their own")
    command = [*IN_A_WORLD, READ_ONLY, str(shell.data_dir / "billing.db"), str(PROGRAM), *words]
    return subprocess.run(
        command, env=shell.environment, capture_output=True, text=True, check=False, timeout=120
    )


def can_mount(file: Path) -> bool:
    try:
        tried = subprocess.run([*IN_A_WORLD, READ_ONLY, str(file), "true"], check=False, timeout=10)
    except FileNotFoundError:
        return False
    return tried.returncode == 0


def finding(answer: "subprocess.CompletedProcess[str]") -> dict[str, str]:
    """What the doctor has found out about billing's database, which it fails on."""
    assert answer.returncode == 1, answer.stderr
    (row,) = [it for it in json.loads(answer.stdout) if it["check"] == "database billing"]
    assert not row["ok"]
    return row  # type: ignore[no-any-return]
