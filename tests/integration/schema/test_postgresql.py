"""On PostgreSQL the migrations make the very tables of the models, types included, and back."""

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from infra.composition import build_service, service_names
from shared.host.settings import Settings
from shared.persistence.database import Database
from shared.persistence.schema import upgrade
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
