"""Chores: work on a database that takes as long as it takes, unlike a message.

A message waits for an answer of the database for a bounded time, since behind it others wait, and
whoever gives up can try again. A migration that is broken off after its time is begun anew at the
next start and never finished, and books that cannot be read to their end are never closed. What
goes in small portions by an index, as forgetting does, needs none of this.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event, text
from sqlmodel import Session

from shared.persistence.database import Database
from shared.persistence.statements import settle

LIFTED = "('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')"
"""Limits of PostgreSQL on how long work may take; the last is there from version 17 on."""
LIFT = text(f"SELECT set_config(name, '0', true) FROM pg_settings WHERE name IN {LIFTED}")  # noqa: S608
LOCK_SECONDS = 10
"""How long a chore waits for a table: whoever waits for it as a whole holds up all that come after,
readers among them."""
KEEP_LOCKS_SHORT = text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")

SEE_WHAT_IS_COMMITTED = text("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")


@contextmanager
def unlimited(database: Database) -> Iterator[Connection]:
    """One transaction whose statements take as long as they take, its commit included.

    The wait for a lock stays short. A server that is gone is noticed all the same, by TCP. Each
    statement sees what others have committed before it, whatever the role's default is.
    """
    with (
        database.engine.connect() as connection,
        _patient(database, connection),
        connection.begin(),
    ):
        if not database.is_sqlite:
            connection.execute(SEE_WHAT_IS_COMMITTED)
        _lift(connection)
        yield connection


@contextmanager
def portion(database: Database) -> Iterator[Session]:
    """One transaction of a chore that goes in portions, each of which may have to look for long."""
    with database.begin() as session, _patient(database, session.connection()):
        _lift(session.connection())
        yield session
        settle(session)


def without_hurry(database: Database) -> Database:
    """Have every transaction on this database be one of a chore, such as closing the books."""
    if not database.is_sqlite:
        event.listen(database.engine, "connect", _have_patience)
        event.listen(database.engine, "begin", _lift)
    return database


def _lift(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":  # It sets no such limits.
        connection.execute(LIFT)
        connection.execute(KEEP_LOCKS_SHORT)


@contextmanager
def _patient(database: Database, connection: Connection) -> Iterator[None]:
    """Wait on this connection for however long an answer takes."""
    if database.is_sqlite:
        yield
        return
    line: Any = connection.connection.driver_connection
    before, line.answer_seconds = line.answer_seconds, None
    try:
        yield
    finally:
        line.answer_seconds = before


def _have_patience(line: Any, _record: object) -> None:
    line.answer_seconds = None
