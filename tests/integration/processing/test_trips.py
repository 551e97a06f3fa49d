"""Statements that nobody waits for travel with others, and nothing that was promised changes."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import (
    JSON,
    Column,
    Integer,
    MetaData,
    bindparam,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, ProgrammingError
from sqlmodel import Field, Session, col

from shared.persistence import trips as trips_of_lines
from shared.persistence.bulk import insert_entities, new_rows
from shared.persistence.database import Database, Trouble, diagnose
from shared.persistence.entity import Entity
from shared.persistence.statements import Asked, Statement, fetch_together
from shared.persistence.trips import Trips
from shared.processing.retry_policy import MESSAGE_LEASE
from shared.processing.store.tables import DEAD
from tests.integration.processing.conftest import on_postgresql
from tests.integration.processing.tally import MENDED, Replica, customer, release
from tests.servers.postgres import MakeDatabase

LARGE = 3_000_000
EVERY_PAUSE = 6


class ParcelTable(Entity):
    metadata = MetaData()


class Parcel(ParcelTable, table=True):
    """Something that is sent."""

    id: str = Field(primary_key=True, max_length=36)
    weight: int = 0
    label: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))


WEIGHTS = Statement(select(col(Parcel.id), col(Parcel.weight)).order_by(col(Parcel.id)))
ONE = Statement(select(literal(1)))
DIVIDED = Statement(select(literal(1) // bindparam("by", type_=Integer())))


@pytest.fixture
def database(make_database: MakeDatabase) -> Iterator[Database]:
    database = Database(make_database("parcels"))
    ParcelTable.metadata.create_all(database.engine)
    yield database
    database.close()


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One number for each trip from now on: that of the statements that waited for it."""
    made: list[int] = []
    send = Trips.send

    def counted(self: Trips) -> None:
        if self.has_waiting:
            made.append(len(self._waiting))
        send(self)

    monkeypatch.setattr(Trips, "send", counted)
    return made


def found(database: Database) -> list[tuple[str, int]]:
    with database.read() as session:
        return [(row[0], row[1]) for row in WEIGHTS.fetch(session, {})]


def transact(database: Database, work: Callable[[Session], object]) -> None:
    """Do this in one transaction."""
    with database.begin() as session:
        work(session)


def line(session: Session) -> Any:
    return session.connection().connection.dbapi_connection


# How many there are.


@on_postgresql
def test_a_message_takes_one_trip_before_its_handler_and_one_behind(
    replica: Replica, trips: list[int]
) -> None:
    # Given a service that has reserved numbers, and has something to mark as published,
    replica.take(release("bakkerij", message="first"))
    trips.clear()
    # When a message comes for which nothing need be changed that is there,
    replica.take(release("kapper"))
    # Then it is claimed on the trip that asks for what its handler needs; what the handler made
    # and said goes with the commit.
    assert len(trips) == 2


def test_what_is_posted_goes_with_the_commit(database: Database, trips: list[int]) -> None:
    with database.begin() as session:
        insert_entities(session, [Parcel(id="a", weight=1)])
        insert_entities(session, [Parcel(id="b", weight=2)])
        assert trips == []
    assert trips == [3]
    assert found(database) == [("a", 1), ("b", 2)]


def test_what_is_asked_hears_of_what_was_posted(database: Database, trips: list[int]) -> None:
    with database.begin() as session:
        insert_entities(session, [Parcel(id="a", weight=1)])
        # Whoever asks sees it, by this way,
        assert WEIGHTS.fetch(session, {}) == [("a", 1)]
        assert trips == [2]
        # and by SQLAlchemy's own.
        insert_entities(session, [Parcel(id="b", weight=2)])
        assert session.execute(select(func.count()).select_from(Parcel)).scalar_one() == 2
    assert len(found(database)) == 2


def test_several_things_are_asked_on_one_trip(database: Database, trips: list[int]) -> None:
    rows = [{"id": "a", "weight": 1, "label": None}, {"id": "b", "weight": 2, "label": None}]
    with database.begin() as session:
        insert_entities(session, [Parcel(id="a", weight=7)])
        keys, weights, one = fetch_together(
            session, [new_rows(session, Parcel, rows), (WEIGHTS, {}), (ONE, {})]
        )
    assert (keys, weights, one) == ([("b",)], [("a", 7), ("b", 2)], [(1,)])
    assert trips == [4]


def test_without_a_transaction_nothing_waits(database: Database, trips: list[int]) -> None:
    with database.look_up() as session:
        Statement(update(Parcel).values(weight=1)).post(session, {})
        assert trips == [1]
        assert line(session).pgconn.transaction_status == TransactionStatus.IDLE


# What fails.


def test_where_one_of_a_trip_fails_nothing_is_committed(database: Database) -> None:
    with database.begin() as session:
        insert_entities(session, [Parcel(id="a", weight=1)])

    # Given a transaction of which one statement will be refused, with others about it,
    def work(session: Session) -> None:
        insert_entities(session, [Parcel(id="b")])
        insert_entities(session, [Parcel(id="a", label={"to": "Anna"})])
        insert_entities(session, [Parcel(id="c")])

    with pytest.raises(IntegrityError, match="parcel_pkey") as failed:
        transact(database, work)
    # When it commits, Then it is told why, without any values; none of them is there,
    assert "Anna" not in str(failed.value)
    assert "(a)" not in str(failed.value)
    assert found(database) == [("a", 1)]
    # and the line that it went by serves the next.
    with database.begin() as session:
        insert_entities(session, [Parcel(id="d")])
    assert [key for key, _ in found(database)] == ["a", "d"]


def test_what_is_taken_back_is_never_sent(database: Database, trips: list[int]) -> None:
    def break_off(session: Session) -> None:
        insert_entities(session, [Parcel(id="a")])
        raise KeyError

    def ask_and_break_off(session: Session) -> None:
        ONE.fetch(session, {})
        trips.clear()
        break_off(session)

    # Whether the server has heard of the transaction or not.
    for work in (ask_and_break_off, break_off):
        with pytest.raises(KeyError):
            transact(database, work)
    assert trips == [1]
    assert found(database) == []


def test_the_next_on_a_line_is_not_told_of_the_one_before(database: Database) -> None:
    # Given a line whose transaction broke off half way,
    def break_off(session: Session) -> None:
        insert_entities(session, [Parcel(id="a")])
        DIVIDED.fetch(session, {"by": 0})

    for _ in range(3):
        with pytest.raises(DBAPIError):
            transact(database, break_off)
    # When the next asks by it, Then it hears its own answer.
    with database.begin() as session:
        assert DIVIDED.fetch(session, {"by": 1}) == [(1,)]
    assert found(database) == []


def test_a_statement_that_could_not_be_prepared_can_be_later(database: Database) -> None:
    later = Statement(text("SELECT count(*) FROM later").columns(count=Integer))
    # Given a statement about a table that is not there, together with one that is as it should be,
    for _ in range(2):
        with pytest.raises(ProgrammingError, match="UndefinedTable"), database.begin() as session:
            fetch_together(session, [(later, {}), (ONE, {})])
    # When the table is made, Then it finds its rows.
    with database.begin() as session:
        session.execute(text("CREATE TABLE later (id int)"))
    with database.begin() as session:
        assert fetch_together(session, [(later, {}), (ONE, {})]) == [[(0,)], [(1,)]]


def test_what_was_prepared_outlives_a_rollback(database: Database) -> None:
    def prepared(session: Session) -> int:
        count = text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%parcel%'")
        return int(session.execute(count).scalar_one())

    with database.begin() as session:
        for _ in range(7):  # As often as psycopg wants to see one, to prepare it.
            session.execute(select(col(Parcel.id)).where(col(Parcel.weight) == 1)).all()
    for _ in range(3):
        found(database)
        with pytest.raises(DBAPIError), database.begin() as session:
            DIVIDED.fetch(session, {"by": 0})
    with database.read() as session:
        assert prepared(session) == 2


def test_a_server_that_goes_in_the_middle_counts_as_away(database: Database) -> None:
    def end_it(session: Session) -> None:
        pid = line(session).info.backend_pid
        insert_entities(session, [Parcel(id="a")])
        with database.read() as other:
            other.execute(select(func.pg_terminate_backend(pid)))

    with pytest.raises(OperationalError) as failed:
        transact(database, end_it)
    assert diagnose(failed.value) is Trouble.DOWN
    assert found(database) == []


def test_a_line_that_never_answers_is_given_up(database: Database) -> None:
    sleep = Statement(text("SELECT pg_sleep(20)").columns(slept=Integer))

    def wait_in_vain(session: Session) -> None:
        line(session).answer_seconds = 0.2
        insert_entities(session, [Parcel(id="a")])
        sleep.fetch(session, {})

    with pytest.raises(OperationalError) as failed:
        transact(database, wait_in_vain)
    # Nobody may be given the answer to what somebody else asked.
    assert diagnose(failed.value) is Trouble.DOWN
    assert found(database) == []


def test_a_line_that_was_left_in_the_middle_serves_nobody_any_more(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a trip that is left when its answer is not heard yet,
    def leave(_pgconn: object) -> Iterator[object]:
        raise MemoryError
        yield

    with monkeypatch.context() as patched:
        patched.setattr(trips_of_lines, "fetch_many", leave)
        with pytest.raises(MemoryError):
            transact(database, lambda session: ONE.fetch(session, {}))
    # When the next one asks, Then it is by another line, and hears what it asked for.
    with database.begin() as session:
        assert DIVIDED.fetch(session, {"by": 1}) == [(1,)]
        assert DIVIDED.fetch(session, {"by": -1}) == [(-1,)]


# What travels.


def test_values_are_written_as_by_any_other_way(database: Database) -> None:
    label = {"to": "Zoë", "€": [1, None]}
    with database.begin() as session:
        insert_entities(session, [Parcel(id="ours", label=label)])
        session.add(Parcel(id="sqlalchemy's", label=label))
    with database.read() as session:
        written = text("SELECT label::text FROM parcel")
        assert len(set(session.execute(written).scalars())) == 1


def test_much_goes_both_ways_at_once(database: Database) -> None:
    with database.begin() as session:
        insert_entities(session, [Parcel(id="a", label={"text": "x" * LARGE})])
    labels = Statement(select(col(Parcel.label)))
    with database.begin() as session:
        asked: list[Asked] = [(labels, {})] * 3
        insert_entities(session, [Parcel(id="b", label={"text": "y" * LARGE})])
        answers = fetch_together(session, asked)
    assert [len(rows) for rows in answers] == [2, 2, 2]
    assert {len(label["text"]) for rows in answers for (label,) in rows} == {LARGE}


# What relies on it.


@on_postgresql
def test_a_rehearsal_hears_what_only_the_database_refuses(replica: Replica, url: str) -> None:
    # Given a dead letter, and a database that will not keep what its handler would write now,
    replica.take(release("bakkerij", "broken-1"))
    for _ in range(EVERY_PAUSE):
        replica.run_due(after=MESSAGE_LEASE * 100)
    (letter,) = replica.inbox()
    assert replica.inbox()[letter].status == DEAD
    MENDED.add("broken-1")
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("ALTER TABLE tally ADD CHECK (releases > 1)")
    # When its retry is rehearsed, Then that is told.
    assert "violates check constraint" in str(replica.runtime.engine.rehearse(letter).error)
    assert customer("bakkerij") not in replica.tallies()
