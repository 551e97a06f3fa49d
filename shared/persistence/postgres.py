"""Connections to PostgreSQL: with limits on every wait, by a pooler or straight.

A session is ours on a straight line: its limits are told when it is opened, and statements are
prepared in it. By a pooler (PgBouncer and its like) another one may serve each transaction: the
limits come with each BEGIN, on the same trip, and nothing is prepared. Which of the two a line is,
it finds out by itself when it is opened.
"""

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.types.array import ListBinaryDumper
from sqlalchemy import Connection, Dialect, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from shared.base.internals import AS_LOCKED, require_internals
from shared.persistence.faults import SESSION_STATES
from shared.persistence.statements import Texts
from shared.persistence.text_arrays import texts_dumper
from shared.persistence.trips import Trips, leave_out_values

require_internals(
    f"psycopg {psycopg.__version__}",
    psycopg.Connection,
    attributes=("_prepared",),
    remedy=AS_LOCKED,
)

LIMITS = {
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "1min",
    # In another zone, the last moment of 9999 could be stored, and never read.
    "timezone": "UTC",
}
"""What holds in every transaction, as PostgreSQL itself writes these values."""

OPTIONS = " ".join(f"-c {name}={value}" for name, value in LIMITS.items())

BEGIN = "; ".join(["BEGIN", *(f"SET LOCAL {name} = '{value}'" for name, value in LIMITS.items())])
"""Begins a transaction by a pooler: several statements on one trip, as a plain BEGIN."""

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


def settings_beside(url: str) -> dict[str, Any]:
    """What each connection is opened with, beside what the address itself asks for.

    Options in the address, such as a `search_path`, hold as well; limits are always ours.
    """
    asked = make_url(url).query.get("options")
    options = [asked] if isinstance(asked, str) else [*(asked or ())]
    return {**SETTINGS, "options": " ".join((*options, OPTIONS))}


ANSWER_SECONDS = 40.0
"""A server breaks a statement off after 30 s, and its wait for a lock after 10. One that has not
answered a whole trip for longer counts as not there: a connection that died without a word, or lost
its other end, would otherwise be waited for without end. What a trip that was given up has done
after all is known by its inbox rows."""


REST_SECONDS = 1.0
"""A connection that has rested for longer is asked whether it still leads anywhere, before anything
is entrusted to it. One that was in use just now is as good as it was then."""
RESTS_SINCE = "rests_since"

READ_ONLY = "25006"
"""What a server answers that takes no writes: it was demoted in a failover, or its disk is full."""


class PatientConnection(psycopg.Connection[Any]):
    """A connection to PostgreSQL that gives up a server which never answers.

    `pooled` says that a pooler is in between: nothing may be left to the session.
    """

    pooled: bool = False

    answer_seconds: float | None = ANSWER_SECONDS
    """None for a chore, which waits for as long as the server is there."""

    def __init__(self, *parts: Any, **named: Any) -> None:
        super().__init__(*parts, **named)
        self.trips = Trips(self)
        # psycopg has the session forget all that is prepared, and so what `trips` has, whenever a
        # table may have gone: here migrations make tables, before anything else.
        self._prepared.clear = lambda: False  # type: ignore[method-assign]

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for the server's answer, for a bounded time; what was said before goes before.

        Raises:
            psycopg.OperationalError: none came; the connection is closed.
        """
        if self.trips.has_waiting:
            self.trips.send()
        try:
            return super().wait(gen, interval, self.answer_seconds if timeout is None else timeout)
        except psycopg.Error as error:
            asked_in_vain = self.pgconn.transaction_status == TransactionStatus.ACTIVE
            if asked_in_vain and isinstance(error, psycopg.OperationalError):
                self.pgconn.finish()  # It may still answer, but to what nobody asks any more.
            leave_out_values(error)
            raise

    def commit(self) -> None:
        """Commit, on the same trip as what waits to be sent.

        Raises:
            psycopg.Error: it cannot be; nothing is committed.
        """
        if self.pgconn.transaction_status == TransactionStatus.INERROR:
            # The server would take it back, and call that well done.
            raise psycopg.errors.InFailedSqlTransaction("a statement of this transaction failed")
        if self.trips.has_waiting:
            self.trips.commit()
        else:
            super().commit()

    def rollback(self) -> None:
        """Take the transaction back; what waits to be sent never is."""
        self.trips.forget()
        if self.closed:
            return  # The server takes it back; and why it was hung up is what must be told.
        if self.pgconn.transaction_status != TransactionStatus.IDLE:
            super().rollback()


SEEN = ", ".join(["pg_backend_pid()", *(f"current_setting('{name}')" for name in LIMITS)])
REFUSES_OPTIONS = re.compile(r"unsupported startup parameter(: options| in options)")
"""What PgBouncer says, before 1.20 and since then; it says so before anybody has a SQLSTATE."""


class Connector:
    """Opens the connections of one database's pool, and finds out what they lead to."""

    def __init__(self) -> None:
        self._refuses_options = False

    def connect(
        self,
        _dialect: Dialect,
        _record: object,
        arguments: Sequence[Any],
        options: Mapping[str, Any],
    ) -> PatientConnection:
        """Open a connection, for SQLAlchemy's pool."""
        connection = self._open(arguments, options)
        connection.pooled = not _is_own_session(connection)
        if connection.pooled:
            connection.prepare_threshold = None
        else:
            connection.autocommit = False
        return connection

    def _open(self, arguments: Sequence[Any], options: Mapping[str, Any]) -> PatientConnection:
        if not self._refuses_options:
            try:
                return PatientConnection.connect(*arguments, **options, autocommit=True)
            except psycopg.OperationalError as error:
                if options["options"] != OPTIONS or not REFUSES_OPTIONS.search(str(error)):
                    raise
                self._refuses_options = True  # Not to be asked again, and logged, for each line.
        without = {name: value for name, value in options.items() if name != "options"}
        return PatientConnection.connect(*arguments, **without, autocommit=True)


def _is_own_session(connection: PatientConnection) -> bool:
    """Whether one server process is ours alone, and took what it was told at the start.

    A pooler names a process that is none of the server's, since another may serve each question.
    """
    seen = connection.execute(f"SELECT {SEEN}", prepare=False).fetchone()
    return seen == (connection.info.backend_pid, *LIMITS.values())


def begin(connection: Connection) -> None:
    """Begin a transaction by a pooler; a straight line does that by itself, unless it need not."""
    line: Any = connection.connection.dbapi_connection
    if line.pooled:
        # Its limits come with the transaction, which therefore cannot be left out.
        connection.exec_driver_sql(BEGIN)
    elif connection.get_execution_options().get("each_statement_alone"):
        line.autocommit = True


class LostLimit(NamedTuple):
    """A limit of a transaction that is not what it was to be."""

    name: str
    wanted: str
    found: str


def lost_limits(connection: Connection) -> Sequence[LostLimit]:
    """The limits that do not hold in this transaction, as the server itself says."""
    settings = ", ".join(f"current_setting('{name}')" for name in LIMITS)
    found = connection.exec_driver_sql(f"SELECT {settings}").one()
    return [
        LostLimit(name, wanted, told)
        for (name, wanted), told in zip(LIMITS.items(), found, strict=True)
        if told != wanted
    ]


def prepare(connection: Any, _record: object) -> None:
    """Have arrays travel in binary: writing 200 events out as text took 300 times as long."""
    connection.adapters.register_dumper(list, ListBinaryDumper)
    connection.adapters.register_dumper(Texts, texts_dumper(connection.info.encoding))


def note_rest(connection: Any, record: ConnectionPoolEntry) -> None:
    """Remember since when a connection rests in the pool; whoever takes it finds it as opened.

    One that is closed is not kept, nor one that is in a transaction still.
    """
    record.info[RESTS_SINCE] = time.monotonic()
    if connection is None:
        return
    if connection.pgconn.transaction_status != TransactionStatus.IDLE:
        record.invalidate()
    elif connection.autocommit != connection.pooled:
        connection.autocommit = connection.pooled


def see_after_rest(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    """See that a connection that has rested for long still works.

    Raises:
        InvalidatePoolError: it does not, nor do those that rested beside it: SQLAlchemy opens anew.
    """
    now = time.monotonic()
    if now - record.info.get(RESTS_SINCE, now) <= REST_SECONDS:
        return
    try:
        connection.autocommit = True  # No transaction is begun for this.
        connection.execute("", prepare=False)
        connection.autocommit = connection.pooled  # As it was opened: `begin` begins by a pooler.
    except psycopg.Error as error:
        raise InvalidatePoolError from error


def hang_up(context: ExceptionContext) -> None:
    """A line that is at fault itself is hung up, with every other line to where it leads.

    A server that takes no writes is as good as away, and the next line may lead to the server that
    does. A session that has forgotten what was prepared in it, or has another's, is no session of
    ours; and a statement may have been prepared for a table that a newer version has changed.
    No message is blamed for any of it.
    """
    error = context.original_exception
    state = getattr(error, "sqlstate", None)
    if state == READ_ONLY or state in SESSION_STATES or _is_outgrown_plan(error):
        context.is_disconnect = True


def _is_outgrown_plan(error: BaseException) -> bool:
    # "cached plan must not change result type": its state (0A000) stands for much else.
    return (
        isinstance(error, psycopg.errors.FeatureNotSupported)
        and error.diag.source_function == "RevalidateCachedQuery"
    )
