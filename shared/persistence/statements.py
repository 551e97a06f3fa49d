"""A statement that is made once, and sent to PostgreSQL past SQLAlchemy's layers.

To find a construct's text again, and to wrap what comes back, takes SQLAlchemy longer than libpq
takes to send it and to read the answer. So what every message leads to is compiled once and goes
as text, together with others (`trips`). Everything else stays SQLAlchemy's: the connection, its
transaction, the types, whoever listens to statements, and above all what an error is and what
becomes of its connection.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

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

MOST_SHAPES = 200
"""Of one statement so many are kept that differ in their columns: what a batch has alike, or has
changed, makes one of its own. What was not needed for longest is made anew."""

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
        (found,) = fetch_together(session, [(self, values)])
        return found

    def execute(self, session: Session, values: Values) -> int:
        """How many rows it was about."""
        connection = session.connection()
        if connection.dialect.name == "sqlite":
            return connection.execute(self._clause, dict(values)).rowcount
        call = self.call(connection.dialect, values)
        count: int = _send(connection, [call], lambda trips: trips.count(*call.sent))
        return count

    def post(self, session: Session, values: Values) -> None:
        """Have it done before the next answer is heard, or the transaction commits.

        What it fails with is raised by whoever asks next, or commits.
        """
        connection = session.connection()
        if connection.dialect.name == "sqlite":
            connection.execute(self._clause, dict(values))
            return
        call = self.call(connection.dialect, values)
        _send(connection, [call], lambda trips: trips.post(*call.sent))

    def find(self, connection: Connection, values: Any) -> Sequence[Sequence[Any]]:
        """The rows that it finds, by SQLAlchemy's own way: with many values, for each of them."""
        return connection.execute(self._clause, values).all()

    def call(self, dialect: Dialect, values: Values) -> "Call":
        """It, with its values as they travel."""
        compiled = self._compile(dialect)
        return Call(compiled, compiled.parameters(values))

    def read(self, found: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Rows as the columns' types have them, once it was sent."""
        return found if self._compiled is None else self._compiled.read(found)

    def _compile(self, dialect: Dialect) -> "Compiled":
        if self._compiled is None:
            self._compiled = Compiled(self._clause, dialect)
        return self._compiled


Asked = tuple[Statement, Any]
"""A statement, and its values by their names; SQLite takes those of each row apart."""


def fetch_together(session: Session, asked: Sequence[Asked]) -> Sequence[Sequence[Sequence[Any]]]:
    """The rows that each of several statements finds, none of which needs another's: one trip."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        return [statement.find(connection, values) for statement, values in asked]
    calls = [statement.call(connection.dialect, values) for statement, values in asked]
    found = _send(connection, calls, lambda trips: trips.rows([call.sent for call in calls]))
    return [statement.read(rows) for (statement, _), rows in zip(asked, found, strict=True)]


def settle(session: Session) -> None:
    """Have done what was posted, and hear what became of it: for who will not commit.

    Raises:
        SQLAlchemyError: one of them failed.
    """
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        _send(connection, [], lambda trips: trips.send())


PARAMETER = re.compile(r"%\((\w+)\)s")


class Compiled:
    """A statement as libpq takes it, and what becomes of its values on their way."""

    def __init__(self, clause: Any, dialect: Dialect) -> None:
        compiled = clause.compile(dialect=dialect)
        places: dict[str, str] = {}
        numbered = PARAMETER.sub(
            lambda at: places.setdefault(at[1], f"${len(places) + 1}"), compiled.string
        )
        self.text: str = compiled.string
        self.sql = numbered.replace("%%", "%").encode()
        self.names = list(places)
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

    def parameters(self, values: Values) -> Sequence[Any]:
        """The values as they travel, in their order."""
        given = {name: process(values[name]) for name, process in self._given}
        return [given[name] if name in given else self._fixed[name] for name in self.names]

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


class Call(NamedTuple):
    """A compiled statement and its values as they travel."""

    compiled: Compiled
    values: Sequence[Any]

    @property
    def sent(self) -> tuple[bytes, Sequence[Any]]:
        """As libpq takes it: values have places."""
        return self.compiled.sql, self.values

    @property
    def told(self) -> tuple[str, Mapping[str, Any]]:
        """As SQLAlchemy and psycopg have it: values have names."""
        return self.compiled.text, dict(zip(self.compiled.names, self.values, strict=True))


def _writer(kind: Any, dialect: Dialect) -> Process:
    if isinstance(kind, ARRAY) and isinstance(kind.item_type, String):
        return Texts
    return kind.dialect_impl(dialect).bind_processor(dialect) or _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _send(connection: Connection, calls: Sequence[Call], go: Callable[[Any], Any]) -> Any:
    """What the server answers.

    Raises:
        SQLAlchemyError: just as if SQLAlchemy had sent it.
    """
    line: Any = connection.connection.dbapi_connection
    heard = connection.engine.dispatch
    try:
        _tell(connection, heard.before_cursor_execute, calls)
        answer = go(line.trips)
        _tell(connection, heard.after_cursor_execute, calls)
    except BaseException as error:
        # Without its text SQLAlchemy takes what is no error of the driver's for what it is.
        is_drivers = isinstance(error, connection.dialect.loaded_dbapi.Error)
        failed = line.trips.failed
        text = failed.sql.decode() if is_drivers else None
        connection._handle_dbapi_exception(error, text, failed.values, None, None)
    return answer


def _tell(connection: Connection, listeners: Any, calls: Sequence[Call]) -> None:
    for told in listeners:
        for call in calls:
            told(connection, None, *call.told, None, False)
