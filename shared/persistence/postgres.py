"""Connections to PostgreSQL: with limits on every wait, and arrays in binary."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.types.array import ListBinaryDumper
from sqlalchemy import Dialect
from sqlalchemy.engine import ExceptionContext

OPTIONS = (
    "-c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
    " -c timezone=UTC"  # In another zone, the last moment of 9999 could be stored, and never read.
)

SETTINGS: dict[str, Any] = {
    "connect_timeout": 5,
    "options": OPTIONS,
    # A server that vanished without a word is noticed within about 15 seconds.
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 15_000,
}
"""What each connection is opened with."""

ANSWER_SECONDS = 40.0
"""A server answers a statement within 30 s, if only by breaking it off. One that says nothing for
longer is not there: a connection that died without a word, or lost its other end, would otherwise
be waited for without end."""


QUOTED = re.compile(r'".*"', re.DOTALL)

READ_ONLY = "25006"
"""What a server answers that takes no writes: it was demoted in a failover, or its disk is full."""


class PatientConnection(psycopg.Connection[Any]):
    """A connection to PostgreSQL that gives up a server which never answers."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for the server's answer, for a bounded time.

        Raises:
            psycopg.OperationalError: none came; the connection is closed.
        """
        try:
            return super().wait(gen, interval, ANSWER_SECONDS if timeout is None else timeout)
        except psycopg.Error as error:
            asked_in_vain = self.pgconn.transaction_status == TransactionStatus.ACTIVE
            if asked_in_vain and isinstance(error, psycopg.OperationalError):
                self.pgconn.finish()  # It may still answer, but to what nobody asks any more.
            _leave_out_values(error)
            raise


def _leave_out_values(error: psycopg.Error) -> None:
    """Have an answer of the server's tell no person's data, since it is kept and logged.

    Its details quote the row or key that it is about; where data themselves are wrong (PostgreSQL
    appendix A, class 22), the message does.
    """
    told = error.diag.message_primary
    if told is not None:
        wrong_data = (error.sqlstate or "").startswith("22")
        error.args = (QUOTED.sub('"…"', told) if wrong_data else told,)


def connect(
    _dialect: Dialect, _record: object, arguments: Sequence[Any], options: Mapping[str, Any]
) -> PatientConnection:
    """Open a connection, for SQLAlchemy's pool."""
    return PatientConnection.connect(*arguments, **options)


def prepare(connection: Any, _record: object) -> None:
    """Have arrays travel in binary: writing 200 events out as text took 300 times as long."""
    connection.adapters.register_dumper(list, ListBinaryDumper)


def leave_read_only(context: ExceptionContext) -> None:
    """A server that takes no writes is as good as away: every line to it is hung up.

    So no message is blamed for it, and the next line may lead to the server that does.
    """
    if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
        context.is_disconnect = True
