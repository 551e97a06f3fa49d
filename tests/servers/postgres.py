"""A PostgreSQL of the tests' own."""

import os
import secrets
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

from tests.servers.containers import engine_answers
from tests.servers.debian import ensure
from tests.servers.premises import LOOPBACK, Guarded, Premises, free_ports, wait_until

IMAGE = os.environ.get("STAPPENPLAN_TEST_POSTGRES_IMAGE", "postgres:17-alpine")
VERSIONS = Path("/usr/lib/postgresql")
QUICK = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
"""What a database may do that need not survive a power cut."""
INITDB = [
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    "--no-sync",
    "--no-instructions",
]


class Postgres(Protocol):
    """A database server that the tests may do with as they like."""

    url: str
    """SQLAlchemy's address of the maintenance database, with a superuser's name and password."""

    def restart(self) -> None:
        """Stop the server, cutting all connections, and start it again at the same address."""

    def kill(self) -> None:
        """End the server at once, without a checkpoint."""

    def start(self) -> None:
        """Start the server after `kill` and wait until it takes connections."""

    def close(self) -> None:
        """End the server and remove all it wrote."""


def start_postgres(*, durable: bool = False) -> Postgres:
    """The server named in the environment, else one in a container, else a private one.

    `durable` keeps fsync on, for tests that kill the server and look at what is left.
    """
    given = os.environ.get("STAPPENPLAN_TEST_DATABASE_URL")
    if given:
        return GivenPostgres(given)
    return ContainerPostgres(durable) if engine_answers() else PrivatePostgres(durable)


class PrivatePostgres:
    """A server from Debian's package, with a folder and a port of its own.

    With a `certificate`, a file that holds its key too, it speaks TLS with whoever wants that.
    """

    def __init__(self, durable: bool = False, certificate: Path | None = None) -> None:
        self._programs = ensure("postgresql", _newest_programs)
        self._premises = Premises("postgres", "postgres")
        self._port = free_ports(1)[0]
        self._data = self._premises.folder / "data"
        extra = [] if durable else QUICK
        if certificate is not None:
            own = self._premises.write("server.pem", certificate.read_text(), mode=0o600)
            extra = [*extra, "ssl=on", f"ssl_cert_file={own}", f"ssl_key_file={own}"]
        self._settings = _settings(extra)
        user, password = "tests", secrets.token_hex(8)
        self._url = _url(user, password, LOOPBACK, self._port)
        self.url = _text(self._url)
        secret = self._premises.write("password", password, mode=0o600)
        self._premises.run(
            [self._programs / "initdb", "-D", self._data, "-U", user, "--pwfile", secret, *INITDB]
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def pid(self) -> int:
        """The process id of the server."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        command = [self._programs / "postgres", "-D", self._data, "-p", self._port]
        command += ["-k", self._premises.folder, "-h", LOOPBACK, *self._settings]
        self._process = self._premises.start(command, {}, signal.SIGQUIT)
        self._premises.await_ready(self._process, lambda: _answers(self._url), "PostgreSQL answers")

    def stop(self) -> None:
        """Stop the server in an orderly way, cutting its connections ("fast")."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End the server at once, without a checkpoint ("immediate"); the next start recovers."""
        self._end(signal.SIGQUIT)

    def restart(self) -> None:
        """Stop the server, cutting all connections, and start it again at the same address."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End the server and remove the folder."""
        if self._process is not None:
            self.kill()
        self._premises.close()

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None, "the server is not running"
        self._premises.stop(self._process, number)
        self._process = None


class ContainerPostgres:
    """A server in a container, at a fixed port so that its address survives a restart."""

    def __init__(self, durable: bool = False) -> None:
        from testcontainers.core.container import DockerContainer

        port = free_ports(1)[0]
        user, password = "tests", secrets.token_hex(8)
        self._container = (
            DockerContainer(IMAGE)
            .with_env("POSTGRES_USER", user)
            .with_env("POSTGRES_PASSWORD", password)
            .with_env("POSTGRES_DB", "postgres")
            .with_bind_ports(5432, port)
            .with_command(["postgres", *_settings([] if durable else QUICK)])
        )
        self._container.start()
        self._guardian = Guarded()
        self._guardian.tell("container", self._container.get_wrapped_container().id)
        self._url = _url(user, password, self._container.get_container_host_ip(), port)
        self.url = _text(self._url)
        self._await()

    def restart(self) -> None:
        """Stop the container, cutting all connections, and start it again at the same address."""
        self._container.get_wrapped_container().stop()
        self.start()

    def kill(self) -> None:
        """End the container at once, as a power cut would."""
        self._container.get_wrapped_container().kill()

    def start(self) -> None:
        """Start the container again and wait until the server takes connections."""
        self._container.get_wrapped_container().start()
        self._await()

    def close(self) -> None:
        """Remove the container."""
        self._container.stop()
        self._guardian.close()

    def _await(self) -> None:
        wait_until(lambda: _answers(self._url), "PostgreSQL answers from its container")


class GivenPostgres:
    """A server that somebody else runs; the tests make databases in it, and nothing more."""

    def __init__(self, url: str) -> None:
        self.url = _text(make_url(url).set(drivername="postgresql+psycopg"))

    def restart(self) -> None:
        """Refuse: others may be using this server."""
        raise NotImplementedError("the tests do not restart a server that they did not start")

    kill = start = restart

    def close(self) -> None:
        """Leave the server as it is."""


class MakeDatabase(Protocol):
    """Makes a fresh database; `prepare` brings an empty one to its schema, once per session."""

    def __call__(self, name: str, prepare: Callable[[str], object] | None = None) -> str:
        """Return the address of the new database, for SQLAlchemy with psycopg."""


class Databases:
    """Makes fresh databases on a server, and drops them."""

    def __init__(self, postgres: Postgres) -> None:
        self._server = make_url(postgres.url)
        self._templates: dict[Callable[[str], object], str] = {}

    def make(self, name: str, prepare: Callable[[str], object] | None = None) -> str:
        """Make a fresh database and return its address.

        `prepare` brings an empty database to its schema, given the address. It runs once: its
        result is kept as a template, and every later database is a copy of that.
        """
        template = self._template(prepare) if prepare else "template1"
        return self._create(name, template)

    def make_each(self, members: Sequence[str]) -> str:
        """Make a database for each member; in the address, `{service}` stands for its name."""
        stem = f"each_{secrets.token_hex(6)}_"
        for member in members:
            self._create_named(f"{stem}{member}", "template1")
        return _text(self._server.set(database=stem)) + "{service}"

    def drop(self, url: str) -> None:
        """Drop a database, cutting its connections."""
        name = make_url(url).database or ""
        self._command(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def drop_templates(self) -> None:
        """Drop what `make` kept."""
        for template in self._templates.values():
            self.drop(_text(self._server.set(database=template)))
        self._templates.clear()

    def _template(self, prepare: Callable[[str], object]) -> str:
        if prepare not in self._templates:
            url = self._create("template", "template1")
            prepare(url)
            self._templates[prepare] = make_url(url).database or ""
        return self._templates[prepare]

    def _create(self, name: str, template: str) -> str:
        fresh = f"{name}_{secrets.token_hex(6)}"
        self._create_named(fresh, template)
        return _text(self._server.set(database=fresh))

    def _create_named(self, name: str, template: str) -> None:
        self._command(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )

    def _command(self, statement: sql.Composed) -> None:
        with psycopg.connect(_libpq(self._server), autocommit=True) as connection:
            connection.execute(statement)


def _newest_programs() -> Path | None:
    found = [path for path in VERSIONS.glob("*/bin") if (path / "initdb").exists()]
    return max(found, key=lambda path: float(path.parent.name), default=None)


def _settings(extra: list[str]) -> list[str]:
    chosen = ["max_connections=200", "shared_buffers=64MB", "timezone=UTC", *extra]
    return [word for setting in chosen for word in ("-c", setting)]


def _url(user: str, password: str, host: str, port: int) -> URL:
    return URL.create("postgresql+psycopg", user, password, host, port, "postgres")


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def _libpq(url: URL) -> str:
    return _text(url.set(drivername="postgresql"))


def _answers(url: URL) -> bool:
    try:
        psycopg.connect(_libpq(url), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
