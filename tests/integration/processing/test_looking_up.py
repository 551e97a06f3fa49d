"""Whoever only looks something up pays for no transaction, and leaves no trace of that behind."""

from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from shared.persistence.database import Database
from tests.servers.postgres import MakeDatabase

IDLE = TransactionStatus.IDLE


@pytest.fixture
def database(make_database: MakeDatabase) -> Iterator[Database]:
    """With one connection for all, so that each is what the one before left behind."""
    with closing(Database(make_database("tally"), most_connections=1)) as database:
        with database.begin() as session:
            session.execute(text("CREATE TABLE counted (number int)"))
        yield database


def status(session: Session) -> TransactionStatus:
    line: Any = session.connection().connection.dbapi_connection
    return TransactionStatus(line.info.transaction_status)


def count(session: Session) -> int:
    return int(session.execute(text("SELECT count(*) FROM counted")).scalar_one())


def test_to_look_something_up_begins_no_transaction(database: Database) -> None:
    with database.look_up() as session:
        assert count(session) == 0
        assert status(session) is IDLE


def test_a_look_sees_what_was_committed_since_the_one_before(database: Database) -> None:
    with closing(Database(database.url)) as other, database.look_up() as session:
        assert count(session) == 0
        with other.begin() as writing:
            writing.execute(text("INSERT INTO counted VALUES (1)"))
        assert count(session) == 1


@pytest.mark.parametrize("query", ["SELECT 1", "SELECT 1 / 0"])
def test_whoever_writes_on_the_same_connection_has_a_transaction(
    database: Database, query: str
) -> None:
    # Given a connection on which something was looked up, with success or without,
    with suppress(DBAPIError), database.look_up() as session:
        session.execute(text(query))
    # When whoever has it next writes, and takes it back,
    with database.begin() as session:
        session.execute(text("INSERT INTO counted VALUES (1)"))
        assert status(session) is TransactionStatus.INTRANS
        session.rollback()
    # Then nothing was written.
    with database.read() as session:
        assert count(session) == 0
        assert status(session) is TransactionStatus.INTRANS


def test_a_server_that_hangs_up_on_a_look_keeps_nobody_from_the_next(database: Database) -> None:
    # Given a connection that the server ends while something is looked up,
    ended = text("SELECT pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(DBAPIError), database.look_up() as session:
        session.execute(ended)
    # When others come, Then they have a connection, and whoever writes a transaction.
    with database.look_up() as session:
        assert count(session) == 0
    with database.begin() as session:
        session.execute(text("INSERT INTO counted VALUES (1)"))
        assert status(session) is TransactionStatus.INTRANS
