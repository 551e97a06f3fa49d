"""On PostgreSQL the migrations make the very tables of the models, types included, and back."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from infra.composition import build_service, service_names
from shared.host.settings import Settings
from shared.persistence.database import Database
from shared.persistence.schema import _config, upgrade
from shared.processing.store.tables import ProcessingTable
from tests.servers.postgres import MakeDatabase


@pytest.mark.parametrize("name", service_names())
def test_the_migrations_make_the_tables_of_the_models(
    name: str, make_database: MakeDatabase
) -> None:
    # Given an empty database, When it is brought to the current schema,
    service = build_service(name, Settings())
    database = Database(make_database(name))
    assert upgrade(database, service.migrations)
    # Then there is no difference with the models.
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        models: Any = [service.metadata, ProcessingTable.metadata]
        difference = compare_metadata(context, models)
    database.close()
    assert [change for change in difference if "alembic_version" not in repr(change)] == []


def test_what_the_address_asks_for_holds_beside_our_limits(make_database: MakeDatabase) -> None:
    # Given an address with options of its own, one of them against a limit of ours,
    asked = quote("-c search_path=tenant,public -c statement_timeout=0")
    database = Database(f"{make_database('billing')}?options={asked}")
    # When a transaction begins, Then what was asked for holds, and so do the limits.
    with database.read() as session:
        found = session.connection().exec_driver_sql("SHOW search_path").scalar_one()
    assert found == "tenant,public"
    assert database.lost_limits() == []
    assert not database.is_pooled()
    database.close()


def test_migrations_are_found_wherever_they_are_installed(tmp_path: Path) -> None:
    # Given an installation in a folder whose name has a percent sign in it,
    folder = tmp_path / "100%(here)s" / "migrations"
    # When Alembic is told where the migrations are, Then it looks there.
    told = _config(folder).get_main_option("version_locations") or ""
    assert str(folder / "versions") in told.splitlines()
