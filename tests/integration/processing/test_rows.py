"""Rows in a handler's hand, and the statements that find them, are as good as SQLAlchemy's."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import from_json
from sqlalchemy import JSON, Column, Integer, MetaData, bindparam, event, func, literal, select
from sqlalchemy.exc import DataError, OperationalError
from sqlmodel import Field, Session, col

from shared.persistence import rows as rows_in_hand
from shared.persistence import statements
from shared.persistence.bulk import array_of, insert_entities
from shared.persistence.database import Database, Trouble, diagnose
from shared.persistence.entity import Entity, moment
from shared.persistence.rows import changes_of, columns_in_hand, read_rows
from shared.persistence.statements import Statement
from tests.servers.postgres import MakeDatabase

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class ShelfTable(Entity):
    metadata = MetaData()


class Book(ShelfTable, table=True):
    """Something with a column of each kind."""

    id: str = Field(primary_key=True, max_length=36)
    title: str | None = None
    pages: int = 0
    bound: bool = False
    lent_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    notes: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))

    @property
    def lent(self) -> bool:
        """Whether somebody has it."""
        return self.lent_at is not None


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/books.db"
    if request.param == "postgresql":
        make: MakeDatabase = request.getfixturevalue("make_database")
        url = make("books")
    database = Database(url)
    ShelfTable.metadata.create_all(database.engine)
    with database.begin() as session:
        insert_entities(session, [Book(id="1", title="Max", lent_at=NOON, notes={"n": [1, "é"]})])
        insert_entities(session, [Book(id="2"), Book(id="3", title="É\n", pages=3, bound=True)])
    yield database
    database.close()


def books(session: Session) -> Sequence[Book]:
    statement = Statement(columns_in_hand(Book).order_by(col(Book.id)))
    return read_rows(session, Book, statement, {})


def test_a_row_in_hand_holds_what_sqlalchemy_would_read(database: Database) -> None:
    with database.read() as session:
        # Given rows as SQLAlchemy reads them,
        names = Book.__table__.columns.keys()  # type: ignore[attr-defined]
        wanted = [
            [getattr(row, name) for name in names]
            for row in session.execute(select(Book).order_by(col(Book.id))).scalars()
        ]
        # When they are read to be in hand, Then they hold the same, and are of their model.
        found = books(session)
        assert [[getattr(row, name) for name in names] for row in found] == wanted
        assert all(isinstance(row, Book) for row in found)
        assert [row.lent for row in found] == [True, False, False]


def test_a_document_that_nobody_looks_at_is_not_parsed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a row with notes,
    parsed: list[str] = []

    def parse(text: str) -> Any:
        parsed.append(text)
        return {"n": 1}

    monkeypatch.setattr(rows_in_hand, "from_json", parse)
    with database.read() as session:
        first, *_ = books(session)
    # When all but its notes is looked at, Then they are left as they are;
    assert (first.title, first.pages, parsed) == ("Max", 0, [])
    # once they are looked at, they are parsed once.
    assert first.notes is first.notes
    assert len(parsed) == 1


def test_a_row_is_told_whole_its_documents_too(database: Database) -> None:
    # Given rows whose notes nobody has looked at,
    with database.read() as session:
        (one, *_), (other, *_) = books(session), books(session)
    # When all that they hold is told, Then the notes are there.
    wanted = {"id": "1", "notes": {"n": [1, "é"]}}
    assert one.model_dump(mode="json", include={"id", "notes"}) == wanted
    assert from_json(other.model_dump_json(include={"id", "notes"})) == wanted


def test_a_row_tells_what_was_changed_of_it(database: Database) -> None:
    with database.read() as session:
        first, second, third = books(session)
    # Given columns that were assigned, some of them what they held before,
    first.title, first.title, first.notes = "Moritz", "Witwe Bolte", {"n": 2}
    second.pages = 5
    second.pages = 0
    # When it is asked for its changes, Then it tells what is another now, and what was before.
    assert changes_of(first) == {"title": "Max", "notes": {"n": [1, "é"]}}
    assert not changes_of(second)
    assert not changes_of(third)


def test_a_name_that_is_no_column_is_refused(database: Database) -> None:
    with database.read() as session:
        first, *_ = books(session)
    with pytest.raises(AttributeError, match="Book has no titel"):
        first.titel = "Max"


@pytest.mark.parametrize("texts", [[], ["a"], [None], ["", None, 'é{"},\\', "NULL"], ["x"] * 500])
def test_an_array_of_text_arrives_as_it_is(
    make_database: MakeDatabase, texts: list[str | None]
) -> None:
    database = Database(make_database("books"))
    column = Book.__table__.c.title  # type: ignore[attr-defined]
    # Given a statement that takes an array of text,
    given = func.unnest(bindparam("given", type_=array_of(column))).column_valued("given")
    statement = Statement(select(given))
    # When it is sent often enough to be prepared, Then each text arrives, and none is another.
    with database.read() as session:
        for _ in range(7):
            found = statement.fetch(session, {"given": texts})
            assert [text for (text,) in found] == texts
    database.close()


def test_a_statement_is_compiled_once_however_often_it_is_sent(
    make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(make_database("books"))
    # Given a statement, and a count of how often one is compiled,
    number = Statement(select(bindparam("number", type_=Integer())))
    compiled: list[object] = []
    compile_ = statements.Compiled

    def note(*parts: Any) -> Any:
        compiled.append(parts)
        return compile_(*parts)

    monkeypatch.setattr(statements, "Compiled", note)
    # When it is sent in several transactions, each time with another value,
    for value in range(5):
        with database.begin() as session:
            assert number.fetch(session, {"number": value}) == [(value,)]
    # Then it was compiled for the first of them alone.
    assert len(compiled) == 1
    database.close()


def test_whoever_listens_to_statements_hears_them_all(database: Database) -> None:
    heard: list[str] = []
    for moment_ in ("before_cursor_execute", "after_cursor_execute"):
        event.listen(
            database.engine, moment_, lambda _c, _cur, statement, *_: heard.append(statement)
        )
    with database.read() as session:
        heard.clear()
        books(session)
    before, after = (statement for statement in heard if not statement.startswith("BEGIN"))
    assert before == after
    assert before.startswith("SELECT")


def test_an_error_is_sqlalchemys_and_tells_no_values(make_database: MakeDatabase) -> None:
    database = Database(make_database("books"))
    # Given a statement that the data do not fit,
    statement = Statement(select(literal(1) // bindparam("by", type_=Integer())))
    with database.read() as session:
        # When it fails, Then that is told as of any other statement,
        with pytest.raises(DataError, match="parameters hidden") as failed:
            statement.fetch(session, {"by": 0})
        assert diagnose(failed.value) is Trouble.MESSAGE
        session.rollback()
        # and the connection serves the next one.
        assert statement.fetch(session, {"by": 1}) == [(1,)]
    database.close()


def test_a_connection_that_died_is_known_to_be_away(make_database: MakeDatabase) -> None:
    database = Database(make_database("books"))
    one = Statement(select(literal(1)))
    with database.read() as session:
        one.fetch(session, {})
        # Given a connection that the server ends,
        with database.read() as other:
            pid = session.execute(select(func.pg_backend_pid())).scalar_one()
            other.execute(select(func.pg_terminate_backend(pid)))
        # When the next statement is sent by it, Then the database counts as away,
        with pytest.raises(OperationalError) as failed:
            one.fetch(session, {})
        assert diagnose(failed.value) is Trouble.DOWN
    # and whoever comes next is given another line.
    with database.read() as session:
        assert one.fetch(session, {}) == [(1,)]
    database.close()
