"""One service's own database: PostgreSQL or SQLite, told apart only here.

A transaction that writes on SQLite begins IMMEDIATE, so that writers queue up instead of failing
when two of them have read first.
"""

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    event,
)
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import Session

from shared.base.errors import InfrastructureDown

SQLITE_BUSY_MS = 10_000
OWNER_ALONE = 0o600
BESIDE = ("-wal", "-shm")
"""How SQLite ends the names of the files that it keeps beside a database."""
_making = threading.Lock()
"""Whoever finds a new database finds it closed again by who made it."""


class Trouble(Enum):
    """Whose fault a database error is."""

    CONTENTION = "contention"
    """Two transactions were in each other's way: the same work simply runs again."""
    DOWN = "down"
    """The database is away: wait, and blame no message."""
    MESSAGE = "message"
    """The statement itself is at fault, and so the message that led to it."""


CONTENTION_STATES = ("40001", "40P01", "55P03")
STATEMENT_STATES = ("54",)
"""Limits that one statement exceeds (PostgreSQL appendix A, class 54)."""


def diagnose(error: BaseException) -> Trouble:
    """Tell contention, an absent database and a faulty statement apart."""
    if isinstance(error, InfrastructureDown):
        return Trouble.DOWN  # Somebody has told them apart already.
    state = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    if isinstance(error, IntegrityError | StaleDataError) or state in CONTENTION_STATES:
        return Trouble.CONTENTION
    if isinstance(error, DBAPIError) and state.startswith(STATEMENT_STATES):
        return Trouble.MESSAGE
    away = isinstance(error, OperationalError | InterfaceError | PoolTimeout)
    if away or (isinstance(error, DBAPIError) and error.connection_invalidated):
        return Trouble.DOWN
    return Trouble.MESSAGE


class Database:
    """A service's database; connects when first used."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _engine(url)
        self._reading = self.engine.execution_options(sqlite_begin="DEFERRED")

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """One transaction that writes; commits at the end, rolls back on any exception."""
        session = Session(self.engine, autoflush=False, expire_on_commit=False)
        with session, session.begin():
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One transaction that only reads."""
        with Session(self._reading, autoflush=False, expire_on_commit=False) as session:
            yield session

    def answers(self) -> bool:
        """Whether a trivial query works now."""
        try:
            with self._reading.connect() as connection:
                connection.exec_driver_sql("SELECT 1")
        except SQLAlchemyError:
            return False
        return True

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def _as_json(value: Any) -> str:
    return to_json(value).decode()


_OPTIONS: dict[str, Any] = {
    # pydantic's own reader and writer, several times as fast as the standard library's.
    "json_serializer": _as_json,
    "json_deserializer": from_json,
    # People's data: an error is kept and logged.
    "hide_parameters": True,
}


def _engine(url: str) -> Engine:
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        engine = create_engine(
            url, connect_args={"check_same_thread": False, "timeout": 10}, **_OPTIONS
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
        pool_size=8,
        max_overflow=8,
        pool_timeout=10,
        pool_pre_ping=True,
        connect_args=postgres.SETTINGS,
    )
    event.listen(engine, "do_connect", postgres.connect)
    event.listen(engine, "connect", postgres.prepare)
    event.listen(engine, "handle_error", postgres.leave_read_only)
    return engine


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
