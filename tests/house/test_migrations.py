"""The migrations lead to the very tables that the models describe, in every service."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from infra.composition import build_service, service_names
from shared.database import Database
from shared.processing.model import ProcessingTable
from shared.schema import is_current, upgrade
from shared.settings import Settings


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
        difference = compare_metadata(context, [service.metadata, ProcessingTable.metadata])
    database.close()
    assert [one for one in difference if "alembic_version" not in repr(one)] == []
