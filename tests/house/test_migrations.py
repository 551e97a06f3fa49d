"""The migrations lead to the very tables that the models describe, in every service."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import MetaData

from infra.composition import build_service, service_names
from shared.host.settings import Settings
from shared.persistence.database import Database
from shared.persistence.schema import _config, current, heads, is_current, upgrade
from shared.processing.store.tables import ProcessingTable


@pytest.mark.parametrize("name", service_names())
def test_the_migrations_make_the_tables_of_the_models(name: str, tmp_path: Path) -> None:
    # Given an empty database,
    service = build_service(name, Settings())
    database = Database(f"sqlite:///{tmp_path}/{name}.db")
    # When it is brought to the current schema,
    assert upgrade(database, service.migrations)
    # Then nothing is left to do, and there is no difference with the models.
    assert is_current(database, service.migrations)
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
    assert not is_current(database, migrations)
    assert upgrade(database, migrations)
    assert is_current(database, migrations)
    database.close()


def test_a_database_of_a_later_version_is_not_told_as_current(tmp_path: Path) -> None:
    # Given a database that a later version has brought further,
    migrations = build_service("billing", Settings()).migrations
    database = Database(f"sqlite:///{tmp_path}/billing.db")
    upgrade(database, migrations)
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE alembic_version SET version_num = 'billing_0999' "
            "WHERE version_num LIKE 'billing_%'"
        )
    # When this version starts, Then it does not go on as if that were its own.
    assert not is_current(database, migrations)
    with pytest.raises(CommandError):
        upgrade(database, migrations)
    database.close()
