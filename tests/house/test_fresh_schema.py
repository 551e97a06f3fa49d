"""An empty SQLite database gets in one step the very schema that the migrations lead to."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect

from infra.composition import build_service, service_names
from shared.host.settings import Settings
from shared.persistence.database import Database
from shared.persistence.fresh import END, create_fresh, scripts_of
from shared.persistence.histories import heads, read_revision
from shared.persistence.schema import _config, current, is_sufficient, upgrade

WRITE = "STAPPENPLAN_TEST_WRITE_SCHEMA"
"""Set to 1, it has the scripts written anew: after each migration, to be committed with it."""
LINE_END = re.compile(r"\s*\n\s*")
OBJECTS = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"


@contextmanager
def migrated(name: str, folder: Path, *revisions: str) -> Iterator[Connection]:
    """A database that Alembic has brought from nothing to these revisions."""
    database = Database(f"sqlite:///{folder}/{name} {' '.join(revisions)}.db")
    with database.engine.begin() as connection:
        config = _config(migrations_of(name))
        config.attributes["connection"] = connection
        for revision in revisions:
            command.upgrade(config, revision)
        yield connection
    database.close()


def migrations_of(name: str) -> Path:
    return build_service(name, Settings()).migrations


def objects(connection: Connection) -> list[str]:
    return [LINE_END.sub(" ", sql) for sql in connection.exec_driver_sql(OBJECTS).scalars()]


def write_or_compare(script: Path, statements: list[str]) -> None:
    text = "".join(statement + END for statement in statements)
    if os.environ.get(WRITE) == "1":
        for older in script.parent.glob("*.sql"):
            older.unlink()
        script.parent.mkdir(exist_ok=True)
        script.write_text(text)
    advice = f"run `{WRITE}=1 pytest tests/house/test_fresh_schema.py` and commit what it writes"
    assert list(script.parent.glob("*")) == [script], advice
    assert script.read_text() == text, advice


@pytest.mark.parametrize("name", service_names())
def test_the_scripts_make_of_nothing_what_the_migrations_make(name: str, tmp_path: Path) -> None:
    # Given databases that the migrations have made, with the shared tables alone and with all,
    shared = next(head for head in heads(migrations_of(name)) if head.startswith("shared_"))
    with migrated(name, tmp_path, shared) as connection:
        shared_objects = objects(connection)
    with migrated(name, tmp_path, "heads") as connection:
        all_objects = objects(connection)
    # Then the scripts of both histories say the same,
    assert set(shared_objects) <= set(all_objects)
    own_objects = [each for each in all_objects if each not in shared_objects]
    for script, statements in zip(
        scripts_of(migrations_of(name)), (shared_objects, own_objects), strict=True
    ):
        assert read_revision(script.stem)
        write_or_compare(script, statements)


@pytest.mark.parametrize("name", service_names())
def test_a_fresh_database_is_the_one_that_the_migrations_make(name: str, tmp_path: Path) -> None:
    # Given a service whose database is made in one step,
    database = Database(f"sqlite:///{tmp_path}/{name}.db")
    assert upgrade(database, migrations_of(name))
    # When it is laid beside the one that the migrations make,
    with database.engine.connect() as fresh, migrated(name, tmp_path, "heads") as walked:
        # Then they have the same tables and indexes, the same revisions,
        assert sorted(objects(fresh)) == sorted(objects(walked))
        assert current(fresh) == current(walked) == heads(migrations_of(name))
        # and no row beside them: the migrations write none into an empty database.
        for table in set(inspect(walked).get_table_names()) - {"alembic_version"}:
            assert walked.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() == 0
    database.close()


def test_a_script_of_an_earlier_revision_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a migration for which nobody has written the script anew,
    asked: list[str] = []
    monkeypatch.setattr(
        "shared.persistence.fresh.scripts_of", lambda _: (tmp_path / "billing_9999.sql",)
    )
    walk = command.upgrade

    def note_and_walk(config: Config, revision: str) -> None:
        asked.append(revision)
        walk(config, revision)

    monkeypatch.setattr(command, "upgrade", note_and_walk)
    # When a fresh database is made, Then the migrations make it.
    database = Database(f"sqlite:///{tmp_path}/billing.db")
    assert upgrade(database, migrations_of("billing"))
    assert asked == ["heads"]
    assert is_sufficient(database, migrations_of("billing"))
    database.close()


def test_a_database_that_holds_anything_is_left_to_the_migrations(tmp_path: Path) -> None:
    # Given a database with a table of somebody else's, and no revision,
    database = Database(f"sqlite:///{tmp_path}/billing.db")
    with database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE notes (text VARCHAR)")
        # When it is to be made in one step, Then nothing is done to it.
        assert not create_fresh(connection, migrations_of("billing"))
        assert inspect(connection).get_table_names() == ["notes"]
    database.close()
