"""The migrations lead to the very tables that the models describe, in every service."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, inspect

from infra.composition import build_service, service_names
from shared.host.settings import Settings
from shared.persistence.database import Database
from shared.persistence.histories import (
    Comparison,
    UnrelatedSchema,
    compare,
    folders,
    heads,
    read_revision,
)
from shared.persistence.schema import _config, current, is_sufficient, upgrade
from shared.processing.store.tables import ProcessingTable


@pytest.mark.parametrize("name", service_names())
def test_the_migrations_make_the_tables_of_the_models(name: str, tmp_path: Path) -> None:
    # Given an empty database,
    service = build_service(name, Settings())
    database = Database(f"sqlite:///{tmp_path}/{name}.db")
    # When it is brought to the current schema,
    assert upgrade(database, service.migrations)
    # Then nothing is left to do, and there is no difference with the models.
    assert is_sufficient(database, service.migrations)
    assert not upgrade(database, service.migrations)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        difference = compare_metadata(context, together(service.metadata, ProcessingTable.metadata))
    database.close()
    assert [change for change in difference if "alembic_version" not in repr(change)] == []


def together(*parts: MetaData) -> MetaData:
    """The tables of all of them."""
    whole = MetaData()
    for part in parts:
        for table in part.sorted_tables:
            table.to_metadata(whole)
    return whole


@pytest.mark.parametrize("name", service_names())
def test_the_names_of_the_files_tell_the_newest_revisions(name: str) -> None:
    # A start looks at the names alone: Alembic takes long to load.
    migrations = build_service(name, Settings()).migrations
    script = ScriptDirectory.from_config(_config(migrations))
    assert heads(migrations) == set(script.get_heads())


BEHIND = ["base", "shared_0001", "shared_0003", "billing_0001", "shared_0005", "billing_0002"]


@pytest.mark.parametrize("revision", BEHIND)
def test_a_database_that_lacks_a_migration_is_not_told_as_current(
    revision: str, tmp_path: Path
) -> None:
    # Given a database that an earlier version has left at this revision,
    migrations = build_service("billing", Settings()).migrations
    database = Database(f"sqlite:///{tmp_path}/billing.db")
    if revision != "base":
        with database.engine.begin() as connection:
            config = _config(migrations)
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    # When it is asked for its schema, Then it says what Alembic says,
    with database.engine.connect() as connection:
        heads_by_alembic = set(MigrationContext.configure(connection).get_current_heads())
        assert current(connection) == heads_by_alembic
    # and what is missing is seen, and made.
    assert not is_sufficient(database, migrations)
    assert upgrade(database, migrations)
    assert is_sufficient(database, migrations)
    database.close()


def test_migrations_are_numbered_without_gaps_so_that_a_number_tells_which_is_newer() -> None:
    # Given every history, When its revisions are read,
    for name in service_names():
        migrations = build_service(name, Settings()).migrations
        script = ScriptDirectory.from_config(_config(migrations))
        for folder in folders(migrations):
            revisions = [read_revision(file.stem) for file in folder.glob("*_*.py")]
            numbered = sorted((it for it in revisions if it), key=lambda it: it.number)
            # Then each file is named for its revision, and follows the one with the number before.
            assert len(numbered) == len(revisions)
            assert [it.number for it in numbered] == list(range(1, len(numbered) + 1))
            followed = [script.get_revision(it.id).down_revision for it in numbered]
            assert followed == [None, *(it.id for it in numbered[:-1])]


@pytest.mark.parametrize("name", service_names())
def test_another_services_database_is_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    # Given one database for two services, which the first has made its own,
    database = Database(f"sqlite:///{tmp_path}/one.db")
    first, second = name, next(other for other in service_names() if other != name)
    upgrade(database, build_service(first, Settings()).migrations)
    # When the second starts, Then it is refused, and told what to set,
    with pytest.raises(UnrelatedSchema, match=r"leads \w+ to .*\{service\}"):
        upgrade(database, build_service(second, Settings()).migrations)
    # and the first goes on.
    assert is_sufficient(database, build_service(first, Settings()).migrations)
    database.close()


@pytest.mark.parametrize("revision", ["ae1027a6acf0", "billing_abc", "Billing_0001", "billing_002"])
def test_a_database_of_another_program_is_refused_and_left_alone(
    revision: str, tmp_path: Path
) -> None:
    # Given a database in which another program keeps its own history,
    database = Database(f"sqlite:///{tmp_path}/theirs.db")
    with database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{revision}')")
    # When billing starts, Then it refuses, and makes no table.
    with pytest.raises(UnrelatedSchema, match=revision):
        upgrade(database, build_service("billing", Settings()).migrations)
    with database.engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
    database.close()


def test_revisions_are_ordered_by_their_numbers_and_not_by_their_letters(tmp_path: Path) -> None:
    # Given a history that has come to five figures, of a service whose name has two words,
    migrations = tmp_path / "bank_line" / "migrations"
    (migrations / "versions").mkdir(parents=True)
    for number in (9998, 9999, 10000):
        (migrations / "versions" / f"bank_line_{number}_what_it_does.py").touch()
    # Then the highest number is the newest,
    assert "bank_line_10000" in heads(migrations)
    # and a database is older below it, newer above it.
    shared = next(iter(heads(migrations) - {"bank_line_10000"}))
    assert compare([shared, "bank_line_9999"], migrations).behind == ("bank_line",)
    assert compare([shared, "bank_line_10001"], migrations).unknown == ("bank_line_10001",)
    assert compare([shared, "bank_line_10000"], migrations) == Comparison()
