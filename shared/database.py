"""One service's own database: PostgreSQL or SQLite, told apart only here.

A transaction that writes on SQLite begins IMMEDIATE, so that writers queue up instead of failing
when two of them have read first.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Table,
    TypeDecorator,
    any_,
    bindparam,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import Session, SQLModel

from shared.errors import InfrastructureDown

SQLITE_BUSY_MS = 10_000


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: always aware, always UTC, on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times, which would be read in an unknown zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give SQLite's naive moments their zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


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
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    # Its driver is loaded where there is such a database: the embedded default need not wait.
    from shared import postgres

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


def insert_rows(
    session: Session,
    table: type[SQLModel],
    rows: Sequence[Mapping[str, Any]],
    *,
    new_only: bool = False,
) -> set[Any]:
    """Insert rows that all have the same columns, in one statement.

    With `new_only`, a row whose primary key is there already is left alone, and the primary keys
    of those that were inserted are returned.
    """
    into: Table = table.__table__  # type: ignore[attr-defined]
    (key,) = into.primary_key.columns
    if session.get_bind().dialect.name == "sqlite":
        plain = sqlite.insert(into)
        if not new_only:
            session.execute(plain, list(rows))
            return set()
        statement = plain.on_conflict_do_nothing().returning(key)
        return set(session.execute(statement, list(rows)).scalars())
    names = tuple(rows[0])
    # What is the same in every row, such as the time, need not be sent for each.
    alike = tuple(
        one for one in names if one != key.name and all(row[one] == rows[0][one] for row in rows)
    )
    values = {
        name: rows[0][name] if name in alike else [row[name] for row in rows] for name in names
    }
    found = session.execute(_from_arrays(into, names, alike, new_only), values)
    return set(found.scalars()) if new_only else set()


def insert_entities(session: Session, entities: Sequence[SQLModel]) -> None:
    """Insert new entities of one class in one statement; the session does not track them."""
    if not entities:
        return
    kind = type(entities[0])
    names = kind.__table__.columns.keys()  # type: ignore[attr-defined]
    rows = [{name: getattr(one, name) for name in names} for one in entities]
    insert_rows(session, kind, rows)


def among(session: Session, column: Column[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """That a column has one of these values.

    PostgreSQL gets them as one array: the statement is the same for any number of them, so that
    it is compiled and planned once.
    """
    if session.get_bind().dialect.name == "sqlite":
        return column.in_(values)
    array = bindparam(None, list(values), type_=postgresql.ARRAY(column.type))
    return column == any_(array)


@cache
def _from_arrays(
    into: Table, names: tuple[str, ...], alike: tuple[str, ...], new_only: bool
) -> Any:
    """One short statement for any number of rows: each column that differs comes as an array."""
    arrayed = [name for name in names if name not in alike]
    arrays = [
        bindparam(name, type_=postgresql.ARRAY(into.c[name].type, dimensions=1)) for name in arrayed
    ]
    source = func.unnest(*arrays).table_valued(*arrayed).render_derived()
    columns = [
        source.c[name] if name in arrayed else bindparam(name, type_=into.c[name].type)
        for name in names
    ]
    statement = postgresql.insert(into).from_select(
        list(names), select(*columns).select_from(source), include_defaults=False
    )
    if not new_only:
        return statement
    return statement.on_conflict_do_nothing().returning(*into.primary_key.columns)
