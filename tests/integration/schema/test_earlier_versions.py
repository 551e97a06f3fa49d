"""A version that is still running can live with the tables that the next one has changed."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from infra.composition import build_service
from shared.host.settings import Settings
from shared.persistence.database import Database
from shared.persistence.schema import upgrade

CLAIM = text(
    "INSERT INTO inbox (id, type, subject, digest, status, received_at, attempts)"
    " VALUES ('one', 't', 's', 'd', 'done', :now, 0)"
)
"""As a version wrote it that knows of no `deaths`."""


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_an_inbox_is_written_by_a_version_that_counts_no_deaths(
    dialect: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    # Given the current schema,
    sqlite = f"sqlite:///{tmp_path}/billing.db"
    url = sqlite if dialect == "sqlite" else request.getfixturevalue("make_database")("billing")
    database = Database(url)
    upgrade(database, build_service("billing", Settings()).migrations)
    # When an earlier version claims a message, Then it can, and none is counted.
    with database.engine.begin() as connection:
        connection.execute(CLAIM, {"now": datetime.now(UTC)})
        found = connection.exec_driver_sql("SELECT deaths FROM inbox").scalars().all()
    assert found == [0]
    database.close()
