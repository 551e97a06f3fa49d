"""What handlers changed is written whole, and in few statements, on both databases."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, Column, Connection, MetaData, delete, event, select
from sqlalchemy.exc import DataError
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import Field, Session, col

from shared.persistence.bulk import KEYS, among_keys, in_, insert_entities
from shared.persistence.changes import write_changes
from shared.persistence.database import Database
from shared.persistence.entity import Entity, moment
from shared.persistence.rows import changes_of, columns_in_hand, read_rows
from shared.persistence.statements import Statement
from tests.servers.postgres import MakeDatabase

MANY = 50
MORNING = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class CountedTable(Entity):
    metadata = MetaData()


class Parcel(CountedTable, table=True):
    """Something with a column of each kind."""

    id: str = Field(primary_key=True, max_length=36)
    place: str = Field(max_length=8)
    sent: bool = False
    weight: int | None = None
    seen_at: datetime = Field(default=MORNING, sa_column=moment())
    notes: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/parcels.db"
    if request.param == "postgresql":
        make: MakeDatabase = request.getfixturevalue("make_database")
        url = make("parcels")
    database = Database(url)
    CountedTable.metadata.create_all(database.engine)
    with database.begin() as session:
        insert_entities(session, [Parcel(id=f"{n:03}", place="Breda") for n in range(MANY)])
    yield database
    database.close()


@pytest.fixture
def updates(database: Database) -> list[str]:
    """Every UPDATE that is sent."""
    sent: list[str] = []

    def note(_c: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE"):
            sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    return sent


def parcels(session: Session) -> Sequence[Parcel]:
    """All of them, in hand."""
    statement = Statement(columns_in_hand(Parcel).order_by(col(Parcel.id)))
    return read_rows(session, Parcel, statement, {})


def held(row: Parcel) -> list[Any]:
    """What its columns hold."""
    columns = Parcel.__table__.columns  # type: ignore[attr-defined]
    return [getattr(row, column.key) for column in columns]


def stored(session: Session) -> list[Parcel]:
    """All of them, as SQLAlchemy reads them."""
    return list(session.execute(select(Parcel).order_by(col(Parcel.id))).scalars())


def test_rows_that_changed_alike_are_written_in_one_statement(
    database: Database, updates: list[str]
) -> None:
    # Given rows of which every second one changes in one way, one in another, others not at all,
    with database.begin() as session:
        rows = parcels(session)
        for number, row in enumerate(rows[::2]):
            row.place, row.sent, row.weight = "Gouda", True, number or None
            row.seen_at, row.notes = MORNING + timedelta(minutes=number), {"n": number}
        rows[1].weight = 7
        rows[3].place = "Breda"
        # When the changes are written,
        write_changes(session, rows)
        # Then no row has any more,
        assert not any(changes_of(row) for row in rows)
        left = [held(row) for row in rows]
    # the database holds just what the handlers left,
    with database.read() as session:
        assert [held(row) for row in stored(session)] == left
    # and it took few statements: the first of them weighs nothing, as before.
    assert len(updates) == 3


def test_an_empty_document_is_written_as_sqlalchemy_would(database: Database) -> None:
    # Given rows with notes,
    with database.begin() as session:
        rows = parcels(session)
        for row in rows:
            row.notes = {"n": 1}
        write_changes(session, rows)
    # When the notes of several are taken away by us, and those of another by SQLAlchemy,
    with database.begin() as session:
        rows = parcels(session)
        for row in rows[1:]:
            row.notes = None
        write_changes(session, rows)
        stored(session)[0].notes = None
        session.flush()
    # Then nobody can tell them apart.
    with database.read() as session:
        kept = session.execute(select(col(Parcel.notes).is_(None))).scalars().all()
    assert len(set(kept)) == 1


def test_a_row_that_is_gone_is_not_passed_over(database: Database) -> None:
    with database.begin() as session:
        rows = parcels(session)
        # Given a row that is no longer there,
        session.execute(
            delete(Parcel).where(col(Parcel.id) == "001"),
            execution_options={"synchronize_session": False},
        )
        for row in rows:
            row.weight = 1
        # When the changes are written, then it is said.
        with pytest.raises(StaleDataError):
            write_changes(session, rows)
        session.rollback()


def test_a_text_that_does_not_fit_is_refused_and_not_cut(make_database: MakeDatabase) -> None:
    # Given rows of which one is to hold more than fits,
    database = Database(make_database("parcels"))
    CountedTable.metadata.create_all(database.engine)
    with database.begin() as session:
        insert_entities(session, [Parcel(id=f"{n:03}", place="Breda") for n in range(2)])
    with database.begin() as session:
        rows = parcels(session)
        for row, place in zip(rows, ("Gouda", "Amsterdam"), strict=True):
            row.place = place
        # When they are written together, then that is an error,
        with pytest.raises(DataError):
            write_changes(session, rows)
        session.rollback()
    # and nothing is changed.
    with database.read() as session:
        assert [row.place for row in stored(session)] == ["Breda", "Breda"]
    database.close()


def test_a_new_text_that_does_not_fit_is_refused_and_not_cut(
    make_database: MakeDatabase,
) -> None:
    database = Database(make_database("parcels"))
    CountedTable.metadata.create_all(database.engine)
    # Given new rows whose place is too long in one of them, or alike in all,
    for places in (("Gouda", "Amsterdam"), ("Amsterdam", "Amsterdam")):
        parcels = [Parcel(id=f"{n:03}", place=place) for n, place in enumerate(places)]
        # When they are written together, Then that is an error.
        with pytest.raises(DataError), database.begin() as session:
            insert_entities(session, parcels)
    with database.read() as session:
        assert session.execute(select(Parcel)).all() == []
    database.close()


def test_a_key_that_is_too_long_finds_nobody_elses_row(make_database: MakeDatabase) -> None:
    database = Database(make_database("parcels"))
    CountedTable.metadata.create_all(database.engine)
    # Given a row, and a key that begins like its own, and is longer than any key,
    key = "7" * Parcel.__table__.c.id.type.length  # type: ignore[attr-defined]
    with database.begin() as session:
        insert_entities(session, [Parcel(id=key, place="Breda")])
    # When it is looked for in either way, Then nothing is found.
    with database.read() as session:
        column = Parcel.__table__.c.id  # type: ignore[attr-defined]
        by_values = select(Parcel).where(in_(session, column, [key + "7"]))
        assert session.execute(by_values).all() == []
        by_keys = select(Parcel).where(among_keys(column, "postgresql"))
        assert session.execute(by_keys, {KEYS: [key + "7"]}).all() == []
    database.close()
