"""A PgBouncer of the tests' own, in transaction mode, before any database of one PostgreSQL."""

import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

from sqlalchemy import make_url

from tests.servers.debian import ensure
from tests.servers.postgres import Postgres
from tests.servers.premises import LOOPBACK, Premises, free_ports

PROGRAMS = (Path("/usr/sbin/pgbouncer"), Path("/usr/bin/pgbouncer"))
SETTINGS = """
[databases]
* = host={host} port={server_port} user={user} password={password}

[pgbouncer]
listen_addr = {loopback}
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
server_login_retry = 1
max_client_conn = 500
default_pool_size = {pool_size}
{extra}
"""


class PgBouncer:
    """A pooler between the tests and their database server.

    `extra` are lines of its settings, such as `ignore_startup_parameters = options`.
    """

    def __init__(
        self, postgres: Postgres, *, mode: str = "transaction", pool_size: int = 8, extra: str = ""
    ) -> None:
        program = ensure("pgbouncer", _program)
        self._premises = Premises("pgbouncer", "postgres")
        (self.port,) = free_ports(1)
        server = make_url(postgres.url)
        settings = SETTINGS.format(
            host=server.host,
            server_port=server.port or 5432,
            user=server.username,
            password=server.password,
            loopback=LOOPBACK,
            port=self.port,
            mode=mode,
            pool_size=pool_size,
            extra=extra,
        )
        written = self._premises.write("pgbouncer.ini", settings, mode=0o600)
        self._command = [program, written]
        self._process = self._started()

    def _started(self) -> "subprocess.Popen[bytes]":
        # SIGINT would wait for those who are connected.
        process = self._premises.start(self._command, {}, signal.SIGTERM)
        self._premises.await_ready(process, self._listens, "PgBouncer listens")
        return process

    def before(self, url: str) -> str:
        """The way by the pooler to the database with this address; `{service}` stays in it."""
        address = make_url(url).set(host=LOOPBACK, port=self.port)
        return address.render_as_string(hide_password=False).replace("%7Bservice%7D", "{service}")

    def restart(self) -> None:
        """End it, cutting all connections, and start it again at the same address."""
        self._premises.stop(self._process, signal.SIGTERM)
        self._process = self._started()

    def close(self) -> None:
        """End it, cutting all connections."""
        self._premises.stop(self._process, signal.SIGTERM)
        self._premises.close()

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection((LOOPBACK, self.port), timeout=2):
            return True
        return False


def _program() -> Path | None:
    return next((path for path in PROGRAMS if path.exists()), None)
