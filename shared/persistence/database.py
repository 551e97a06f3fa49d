"""One service's own database: PostgreSQL or SQLite, told apart only here.

A transaction that writes on SQLite begins IMMEDIATE, so that writers queue up instead of failing
when two of them have read first.
"""

import os
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic_core import from_json, to_json
from sqlalchemy import (
    URL,
    Connection,
    Engine,
    RootTransaction,
    create_engine,
    event,
)
from sqlalchemy.exc import PendingRollbackError, SQLAlchemyError
from sqlmodel import Session

from shared.base.errors import WrongSettings
from shared.persistence.addresses import MOST_CONNECTIONS
from shared.persistence.faults import Trouble, diagnose, note_address

if TYPE_CHECKING:
    from shared.persistence.postgres import LostLimit

__all__ = ["Database", "Trouble", "diagnose"]

SQLITE_BUSY_MS = 10_000
OWNER_ALONE = 0o600
BESIDE = ("-wal", "-shm")
"""How SQLite ends the names of the files that it keeps beside a database."""
_making = threading.Lock()
"""Whoever finds a new database finds it closed again by who made it."""


class OneTransaction(Session):
    """A session in a transaction that whoever makes it begins, and ends.

    What a session begins by itself it keeps books on at every step, which costs a lone message as
    much as its commit.
    """

    def __init__(self, connection: Connection, transaction: RootTransaction) -> None:
        super().__init__(
            connection,
            autoflush=False,
            expire_on_commit=False,
            join_transaction_mode="rollback_only",
        )
        self._line = connection
        self._transaction_of_line = transaction
        self._is_ended = False

    def connection(self, *_whose: Any, **_options: Any) -> Connection:
        """The one that it is about."""
        return self._line

    def get_bind(self, *_whose: Any, **_options: Any) -> Connection:
        """The one that it is about."""
        return self._line

    def begin_nested(self) -> NoReturn:
        """There is none: what travels with a statement that fails is taken back with it.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("this transaction has no savepoints: it is done whole or not")

    def commit(self) -> None:
        """Commit now, for who has something to do that does not wait for the connection's rest."""
        self.flush()
        self._is_ended = True
        try:
            self._transaction_of_line.commit()
        except BaseException:
            # Otherwise the connection would rest in a transaction that has failed.
            self._transaction_of_line.rollback()
            raise

    def rollback(self) -> None:
        """Take the transaction back: it is not committed any more."""
        self._is_ended = True
        super().rollback()
        if self._transaction_of_line.is_active:
            self._transaction_of_line.rollback()

    def write_rest(self) -> None:
        """Write what is left, where the block ends that this is about.

        Raises:
            PendingRollbackError: it was taken back for an error that somebody has swallowed.
        """
        if self._transaction_of_line.is_active:
            self.flush()
        elif not self._is_ended:
            raise PendingRollbackError("an error before has taken this transaction back")


class Database:
    """A service's database; connects when first used, to PostgreSQL `most_connections` times."""

    def __init__(self, url: str, most_connections: int = MOST_CONNECTIONS) -> None:
        self.url = url
        self.engine = _engine(url, most_connections)
        note_address(self.engine, url)
        self._reading = self.engine.execution_options(sqlite_begin="DEFERRED")
        self._looking_up = self._reading.execution_options(each_statement_alone=True)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """One transaction that writes; commits at the end, rolls back on any exception."""
        with (
            self.engine.connect() as connection,
            connection.begin() as transaction,
            closing(OneTransaction(connection, transaction)) as session,
        ):
            yield session
            session.write_rest()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One transaction that only reads."""
        with Session(self._reading, autoflush=False, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def look_up(self) -> Iterator[Session]:
        """Statements that only read, each for itself: for what takes one, or few.

        A transaction would show them no more, since each statement sees what is committed by then
        (READ COMMITTED); it would take two more trips to PostgreSQL, to begin and to end.
        """
        with Session(self._looking_up, autoflush=False, expire_on_commit=False) as session:
            yield session

    def answers(self) -> bool:
        """Whether a trivial query works now."""
        return self.trouble() is None

    def trouble(self) -> str | None:
        """What keeps a trivial query from working now, in the server's words; None when it works.

        No password is among them, and no address but the host's.
        """
        try:
            with self._reading.connect() as connection:
                connection.exec_driver_sql("SELECT 1")
        except SQLAlchemyError as error:
            return _in_one_line(getattr(error, "orig", None) or error)
        return None

    def is_pooled(self) -> bool:
        """Whether a pooler is in between, so that no session is ours.

        Raises:
            SQLAlchemyError: it is away.
        """
        if self.is_sqlite:
            return False
        with self._reading.connect() as connection:
            return bool(getattr(connection.connection.dbapi_connection, "pooled", False))

    def lost_limits(self) -> "Sequence[LostLimit]":
        """The limits on waiting that a transaction was to have, and has not.

        Raises:
            SQLAlchemyError: it is away.
        """
        if self.is_sqlite:
            return ()
        from shared.persistence import postgres

        with self._reading.connect() as connection:
            return postgres.lost_limits(connection)

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def _in_one_line(error: BaseException) -> str:
    told = [line.strip() for line in str(error).splitlines() if line.strip()]
    return "; ".join(told) or type(error).__name__


def _as_json(value: Any) -> str:
    return to_json(value).decode()


_OPTIONS: dict[str, Any] = {
    # pydantic's own reader and writer, several times as fast as the standard library's.
    "json_serializer": _as_json,
    "json_deserializer": from_json,
    # People's data: an error is kept and logged.
    "hide_parameters": True,
}


def _engine(url: str, most_connections: int) -> Engine:
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        _make_folder(path.parent)
        # Not the text: a question mark in a folder's name begins no options.
        address = URL.create("sqlite", database=str(path))
        engine = create_engine(
            address, connect_args={"check_same_thread": False, "timeout": 10}, **_OPTIONS
        )
        event.listen(engine, "do_connect", lambda *_: _close_to_others(path))
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    # Its driver is loaded where there is such a database: the embedded default need not wait.
    from shared.persistence import postgres

    engine = create_engine(
        url,
        **_OPTIONS,
        # Half of them are kept; the others are for a rush, and are given back after it.
        pool_size=most_connections - most_connections // 2,
        max_overflow=most_connections // 2,
        pool_timeout=10,
        connect_args=postgres.settings_beside(url),
    )
    event.listen(engine, "do_connect", postgres.Connector().connect)
    event.listen(engine, "connect", postgres.prepare)
    event.listen(engine, "checkin", postgres.note_rest)
    event.listen(engine, "checkout", postgres.see_after_rest)
    event.listen(engine, "begin", postgres.begin)
    event.listen(engine, "handle_error", postgres.hang_up)
    return engine


def _make_folder(folder: Path) -> None:
    """Have the folder of a database.

    Raises:
        WrongSettings: there can be none; the text says what to do.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise WrongSettings(
            f"the folder {folder} cannot be used ({error.strerror}); set STAPPENPLAN_DATA_DIR or "
            "STAPPENPLAN_DATABASE_URL to one in which this user may write"
        ) from None


def _close_to_others(path: Path) -> None:
    """Have the database readable by this user alone, whatever folder it lies in; made if need be.

    SQLite gives the database's mode to the files that it keeps beside it.
    """
    with _making:
        # One that is there is never opened: to close it again would let go of every lock that
        # this process has on it (fcntl(2)), and SQLite's locks are such.
        with suppress(OSError):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ALONE))
        for file in (path, *(path.with_name(path.name + ending) for ending in BESIDE)):
            # Another user's file is theirs to close; one that is not there needs no closing.
            with suppress(PermissionError, FileNotFoundError):
                if stat.S_IMODE(file.stat().st_mode) != OWNER_ALONE:
                    file.chmod(OWNER_ALONE)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver would begin transactions by itself, and too late: we say when.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={SQLITE_BUSY_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    mode = connection.get_execution_options().get("sqlite_begin", "IMMEDIATE")
    connection.exec_driver_sql(f"BEGIN {mode}")
