"""What is loaded by a key that one of two columns may hold, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.persistence.bulk import insert_entities
from shared.persistence.database import Database
from shared.processing import Load
from shared.processing.store.entities import fetch
from tests.servers.postgres import MakeDatabase
from tests.unit.processing.library import Book, Shelf

BY_EITHER = Load(Book, "title", "title", lock=False, or_column="reader")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/library.db"
    if request.param == "postgresql":
        make_database: MakeDatabase = request.getfixturevalue("make_database")
        url = make_database("library")
    database = Database(url)
    Shelf.metadata.create_all(database.engine)
    yield database
    database.close()


def test_rows_are_found_by_either_column_and_each_once(database: Database) -> None:
    # Given books of which one is found by its title, one by its reader, one by both, one by none,
    books = [
        Book(onboarding_id="by title", title="Max Havelaar"),
        Book(onboarding_id="by reader", title="Turks fruit", reader="Anna"),
        Book(onboarding_id="by both", title="Max Havelaar", reader="Anna"),
        Book(onboarding_id="by none", title="Turks fruit", reader="Bo"),
    ]
    with database.begin() as session:
        insert_entities(session, books)
    # When they are looked for, Then each is found once, in the order of its key,
    keys = {"Max Havelaar", "Anna"}
    with database.read() as session:
        (rows,) = fetch(session, [(BY_EITHER, keys)])
        found = [row.onboarding_id for row in rows]  # type: ignore[attr-defined]
    assert found == ["by both", "by reader", "by title"]
    # and a test without a database finds the same.
    assert {book.onboarding_id for book in books if BY_EITHER.matches(book, keys)} == set(found)
