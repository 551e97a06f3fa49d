"""Of what travels together all is done or nothing, and nobody hears another one's answer."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from sqlalchemy import (
    Integer,
    bindparam,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlmodel import Session, col

from shared.persistence import trips as trips_of_lines
from shared.persistence.bulk import insert_entities
from shared.persistence.database import Database, Trouble, diagnose
from shared.persistence.statements import Statement, fetch_together
from tests.integration.processing.parcels import (
    DIVIDED,
    ONE,
    WEIGHTS,
    Parcel,
    found,
    line,
    parcels,
    transact,
)
from tests.servers.postgres import MakeDatabase


@pytest.fixture
def database(make_database: MakeDatabase) -> Iterator[Database]:
    with parcels(make_database) as database:
        yield database


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


def test_a_commit_that_fails_leaves_its_line_as_it_was(database: Database) -> None:
    def commit_in_the_midst(session: Session) -> None:
        insert_entities(session, [Parcel(id="a", label={"to": "Anna"})])
        session.commit()

    # Given a transaction that fails as it commits, before it puts its line away,
    transact(database, commit_in_the_midst)
    with database.engine.connect() as connection:
        before = connection.connection.dbapi_connection
    with pytest.raises(IntegrityError):
        transact(database, commit_in_the_midst)
    # When the next is given the same line, Then it works.
    with database.begin() as session:
        assert line(session) is before
        assert WEIGHTS.fetch(session, {}) == [("a", 0)]


def test_a_line_in_a_transaction_is_not_kept(database: Database) -> None:
    with database.engine.connect() as connection:
        left = connection.connection.dbapi_connection
    # Given somebody who forgets a transaction behind the pool's back,
    left.commit = lambda: None  # type: ignore[union-attr, method-assign]
    left.rollback = lambda: None  # type: ignore[union-attr, method-assign]
    transact(database, lambda session: ONE.fetch(session, {}))
    # When the next comes, Then it is given another line.
    with database.begin() as session:
        assert line(session) is not left
        assert ONE.fetch(session, {}) == [(1,)]


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
    assert trips == []
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
        patched.setattr(trips_of_lines, "fetch", leave)
        with pytest.raises(MemoryError):
            transact(database, lambda session: ONE.fetch(session, {}))
    # When the next one asks, Then it is by another line, and hears what it asked for.
    with database.begin() as session:
        assert DIVIDED.fetch(session, {"by": 1}) == [(1,)]
        assert DIVIDED.fetch(session, {"by": -1}) == [(-1,)]


@pytest.mark.parametrize("behind", [0, 1, 5])
def test_a_server_that_is_told_to_stop_is_quoted(database: Database, behind: int) -> None:
    stop = Statement(select(func.pg_terminate_backend(func.pg_backend_pid())))

    def end_itself(session: Session) -> None:
        insert_entities(session, [Parcel(id="a")])
        fetch_together(session, [(ONE, {}), (stop, {}), *[(ONE, {})] * behind])

    # Whatever was to come behind that.
    with pytest.raises(OperationalError, match="due to administrator command") as failed:
        transact(database, end_itself)
    assert diagnose(failed.value) is Trouble.DOWN
    assert found(database) == []


def test_there_are_no_savepoints(database: Database) -> None:
    # What travels together fails together: nobody may count on a part of it.
    with database.begin() as session, pytest.raises(NotImplementedError):
        session.begin_nested()


def test_an_error_that_somebody_swallows_is_told_where_the_transaction_ends(
    database: Database,
) -> None:
    transact(database, lambda session: insert_entities(session, [Parcel(id="a")]))

    def post_and_swallow(session: Session) -> None:
        insert_entities(session, [Parcel(id="b"), Parcel(id="a")])
        with suppress(DBAPIError):
            ONE.fetch(session, {})

    def flush_and_swallow(session: Session) -> None:
        insert_entities(session, [Parcel(id="b")])
        session.add(Parcel(id="a"))
        with suppress(DBAPIError):
            session.flush()

    # Given work that goes on as if nothing had happened,
    for work in (post_and_swallow, flush_and_swallow):
        # When it ends, Then it is not taken for done,
        with pytest.raises(SQLAlchemyError):
            transact(database, work)
        assert found(database) == [("a", 0)]
    # and the line serves the next.
    transact(database, lambda session: insert_entities(session, [Parcel(id="c")]))
    assert found(database) == [("a", 0), ("c", 0)]


def test_what_is_asked_with_something_unwritable_leaves_nothing_behind(database: Database) -> None:
    by_label = Statement(select(col(Parcel.id)).where(col(Parcel.id) == bindparam("key")))
    with database.look_up() as session:
        with pytest.raises(DBAPIError):
            fetch_together(session, [(ONE, {}), (by_label, {"key": "\0"})])
        assert not line(session).trips.has_waiting


# What is prepared.


def test_what_psycopg_forgets_leaves_ours_as_they_are(database: Database) -> None:
    # Given statements that were prepared, ours and psycopg's own,
    with database.begin() as session:
        for _ in range(7):
            session.execute(select(col(Parcel.id)).where(col(Parcel.weight) == 1)).all()
    found(database)
    # When something is done after which psycopg has all forgotten,
    with database.begin() as session:
        session.execute(text("CREATE TABLE passing (id int)"))
        session.execute(text("DROP TABLE passing"))
    # Then whoever comes next does not notice.
    assert found(database) == []


def test_a_session_remembers_no_more_than_so_many(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trips_of_lines, "MOST_PREPARED", 3)
    numbers = [Statement(select(literal(number).label(f"n{number}"))) for number in range(8)]
    count = text("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'stappenplan%'")
    for _ in range(2):
        for number, statement in enumerate(numbers):
            with database.begin() as session:
                assert statement.fetch(session, {}) == [(number,)]
    with database.read() as session:
        ONE.fetch(session, {})
        assert session.execute(count).scalar_one() <= 4
