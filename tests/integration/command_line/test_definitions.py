"""`stappenplan topology definitions`: what RabbitMQ imports, and the passwords that go with it."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.command_line.shell import Shell


def made(shell: Shell, file: Path, *offices: str) -> dict[str, Any]:
    """The definitions for these offices; the passwords are kept in the file."""
    words = [word for office in offices for word in ("--office", office)]
    document: dict[str, Any] = shell.json(
        "topology", "definitions", *words, "--passwords", str(file)
    )
    return document


def test_the_definitions_are_what_rabbitmq_imports(shell: Shell, tmp_path: Path) -> None:
    passwords = tmp_path / "passwords.json"
    answer = shell("topology", "definitions", "--office", "0077", "--passwords", str(passwords))
    users = {user["name"] for user in json.loads(answer.stdout)["users"]}
    assert {"signup", "registration", "billing", "activation"} <= users
    assert {"king-billing", "website-0077"} <= users
    # The clear passwords are in a file for its owner alone, not in what is printed.
    assert passwords.stat().st_mode & 0o777 == 0o600
    for password in json.loads(passwords.read_text()).values():
        assert password not in answer.stdout


def test_another_office_gets_a_password_and_everybody_else_keeps_his(
    shell: Shell, tmp_path: Path
) -> None:
    # Given definitions for one office, with the passwords in a file that others could read,
    file = tmp_path / "passwords.json"
    made(shell, file, "0042")
    before = json.loads(file.read_text())
    file.chmod(0o644)
    # When they are made again, for another office as well,
    document = made(shell, file, "0042", "0077")
    # Then there is one new password, all others are as they were,
    after = json.loads(file.read_text())
    assert after.keys() - before.keys() == {"website-0077"}
    assert after.items() >= before.items()
    # RabbitMQ is told the same ones,
    for user in document["users"]:
        assert opens(after[user["name"]], user["password_hash"]), user["name"]
    # and the file is for its owner alone.
    assert file.stat().st_mode & 0o777 == 0o600


def opens(password: str, password_hash: str) -> bool:
    """Whether RabbitMQ lets somebody in with this password."""
    salted = base64.b64decode(password_hash)
    return hashlib.sha256(salted[:4] + password.encode()).digest() == salted[4:]


def test_an_office_that_is_left_out_once_keeps_its_password(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "passwords.json"
    made(shell, file, "0042", "0077")
    before = json.loads(file.read_text())
    made(shell, file, "0042")
    assert json.loads(file.read_text()) == before


@pytest.mark.parametrize(
    "damaged",
    [b'{"signup": "abc', b"[]", b'{"signup": 7}', b'{"signup": ""}', b"\xff\xfe", b""],
)
def test_a_file_that_holds_no_passwords_is_refused_and_left_as_it_is(
    shell: Shell, tmp_path: Path, damaged: bytes
) -> None:
    # Given a file that is damaged, or another than was meant,
    file = tmp_path / "passwords.json"
    file.write_bytes(damaged)
    # When definitions are made with it,
    answer = shell("topology", "definitions", "--passwords", str(file))
    # Then nothing is made, nobody loses a password, and the reason is told in a sentence.
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert str(file) in answer.stderr
    assert "Traceback" not in answer.stderr
    assert file.read_bytes() == damaged


def test_a_folder_that_is_not_there_costs_one_sentence(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "passwords.json"
    answer = shell("topology", "definitions", "--passwords", str(file))
    # No definitions either: they would hold passwords that nobody knows.
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith(f"cannot write {file}: ")
