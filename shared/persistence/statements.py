"""A statement that is made once, and sent to PostgreSQL past SQLAlchemy's layers.

To find a construct's text again, and to wrap what comes back, takes SQLAlchemy longer than psycopg
takes to send it and to read the answer. So what every message leads to is compiled once and handed
to psycopg as text. Everything else stays SQLAlchemy's: the connection, its transaction, the types,
whoever listens to statements, and above all what an error is and what becomes of its connection.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy
from sqlalchemy import ARRAY, Connection, Dialect, Executable, String
from sqlmodel import Session

from shared.base.internals import AS_LOCKED, require_internals

require_internals(
    f"SQLAlchemy {sqlalchemy.__version__}",
    Connection,
    members=("_handle_dbapi_exception", "dispatch"),
    remedy=AS_LOCKED,
)

Values = Mapping[str, Any]
Process = Callable[[Any], Any]


class Texts(list[str | None]):
    """An array of text, which is known to be one whatever is in it (`text_arrays`)."""


class Statement:
    """One statement with the names of its values; any transaction on one kind of database."""

    def __init__(self, clause: Executable) -> None:
        self._clause = clause
        self._compiled: Compiled | None = None

    def fetch(self, session: Session, values: Values) -> Sequence[Sequence[Any]]:
        """The rows that it finds."""
        connection = session.connection()
        if connection.dialect.name == "sqlite":
            return connection.execute(self._clause, dict(values)).all()
        text = self._compile(connection.dialect)
        return text.read(_send(connection, text.sql, text.parameters(values)).fetchall())

    def execute(self, session: Session, values: Values) -> int:
        """How many rows it was about."""
        connection = session.connection()
        if connection.dialect.name == "sqlite":
            return connection.execute(self._clause, dict(values)).rowcount
        text = self._compile(connection.dialect)
        return int(_send(connection, text.sql, text.parameters(values)).rowcount)

    def _compile(self, dialect: Dialect) -> "Compiled":
        if self._compiled is None:
            self._compiled = Compiled(self._clause, dialect)
        return self._compiled


class Compiled:
    """A statement as psycopg takes it, and what becomes of its values on their way."""

    def __init__(self, clause: Any, dialect: Dialect) -> None:
        compiled = clause.compile(dialect=dialect)
        self.sql: str = compiled.string
        self._given: list[tuple[str, Process]] = []
        self._fixed: dict[str, Any] = {}
        for bind, name in compiled.bind_names.items():
            process = _writer(bind.type, dialect)
            if bind.required:
                self._given.append((name, process))
            else:
                self._fixed[name] = process(bind.effective_value)
        readers = (
            column.type.dialect_impl(dialect).result_processor(dialect, None)
            for column in clause.exported_columns
        )
        self._readers = [(position, read) for position, read in enumerate(readers) if read]

    def parameters(self, values: Values) -> dict[str, Any]:
        """The values as they travel."""
        return {**self._fixed, **{name: process(values[name]) for name, process in self._given}}

    def read(self, found: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Rows as the columns' types have them."""
        if not self._readers:
            return found
        rows = [list(row) for row in found]
        for position, read in self._readers:
            for row in rows:
                if row[position] is not None:
                    row[position] = read(row[position])
        return rows


def _writer(kind: Any, dialect: Dialect) -> Process:
    if isinstance(kind, ARRAY) and isinstance(kind.item_type, String):
        return Texts
    return kind.dialect_impl(dialect).bind_processor(dialect) or _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _send(connection: Connection, sql: str, parameters: Any) -> Any:
    """The driver's cursor, once the answer is there.

    Raises:
        SQLAlchemyError: just as if SQLAlchemy had sent it.
    """
    cursor: Any = connection.connection.cursor()
    heard = connection.engine.dispatch
    try:
        for told in heard.before_cursor_execute:
            sql, parameters = told(connection, cursor, sql, parameters, None, False)
        cursor.execute(sql, parameters)
        for told in heard.after_cursor_execute:
            told(connection, cursor, sql, parameters, None, False)
    except BaseException as error:
        # Without its text SQLAlchemy takes what is no error of the driver's for what it is.
        is_drivers = isinstance(error, connection.dialect.loaded_dbapi.Error)
        connection._handle_dbapi_exception(
            error, sql if is_drivers else None, parameters, cursor, None
        )
    return cursor
