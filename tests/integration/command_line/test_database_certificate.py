"""A database over TLS: a server that cannot prove who it is is refused, in a sentence."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from infra.composition import service_names
from shared.persistence.database import Database
from tests.integration.command_line.shell import Shell
from tests.servers.mail_server import certificate
from tests.servers.postgres import Databases, PrivatePostgres


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    for name in ("ours", "another"):
        (folder / name).mkdir()
        certificate(folder / name).rename(folder / f"{name}.pem")
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[PrivatePostgres]:
    """A server whose certificate is for 127.0.0.1 alone, and its own CA."""
    server = PrivatePostgres(certificate=folder / "ours.pem")
    yield server
    server.close()


@pytest.fixture(scope="module")
def address(server: PrivatePostgres) -> str:
    return Databases(server).make_each(service_names())


def over_tls(address: str, ca: Path, host: str = "127.0.0.1") -> str:
    own = address.replace("@127.0.0.1:", f"@{host}:")
    return f"{own}?sslmode=verify-full&sslrootcert={ca}"


def test_a_server_that_proves_who_it_is_is_spoken_to_over_tls(
    shell: Shell, folder: Path, address: str
) -> None:
    # Given the CA of the server, and a host that its certificate is for,
    url = over_tls(address, folder / "ours.pem")
    shell.settings["DATABASE_URL"] = url
    # When the doctor looks at it, Then every database answers, and only a schema is missing there,
    checks = json.loads(shell("doctor", "--json").stdout)
    found = {it["check"]: it["finding"] for it in checks if it["check"].startswith("database ")}
    assert sorted(found) == [f"database {name}" for name in sorted(service_names())]
    assert all("older schema" in finding for finding in found.values())
    # and what is read there comes over TLS.
    signup = Database(url.replace("{service}", "signup"))
    with closing(signup), signup.read() as session:
        asked = text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        assert session.execute(asked).scalar_one() is True


@pytest.mark.parametrize(
    ("ca", "host", "said"),
    [
        ("another", "127.0.0.1", "certificate verify failed"),
        ("ours", "localhost", 'does not match host name "localhost"'),
        ("missing", "127.0.0.1", 'missing.pem" does not exist'),
    ],
)
@pytest.mark.parametrize("command", [("db", "upgrade"), ("office", "list"), ("run",)])
def test_a_server_that_does_not_is_refused_in_a_sentence(
    shell: Shell, folder: Path, address: str, ca: str, host: str, said: str, command: Sequence[str]
) -> None:
    # Given another CA, another host, or no CA at all where one was named,
    shell.settings["DATABASE_URL"] = over_tls(address, folder / f"{ca}.pem", host)
    # When a command needs the database, Then it ends at once, in one sentence that says why.
    told = shell("--log-level", "error", *command)
    assert (told.returncode, told.stdout) == (1, "")
    (sentence,) = told.stderr.splitlines()
    assert sentence.startswith("stappenplan: ")
    assert said in sentence
    assert (make_url(address).password or "?") not in told.stderr


def test_doctor_says_what_a_certificate_is_to_be_looked_at_for(
    shell: Shell, folder: Path, address: str
) -> None:
    shell.settings["DATABASE_URL"] = over_tls(address, folder / "another.pem")
    told = shell("doctor", "--json")
    assert told.returncode == 1
    (check,) = [row for row in json.loads(told.stdout) if row["check"] == "database billing"]
    assert "certificate verify failed" in check["finding"]
    assert "sslrootcert" in check["advice"]
    assert (make_url(address).password or "?") not in told.stdout + told.stderr
