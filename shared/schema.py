"""Bringing a service's database to the current schema.

Each database has two histories side by side: that of the shared tables and that of the service's
own. Alembic walks both to their heads.
"""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from shared.database import Database

SHARED = Path(__file__).parent / "migrations"
LOCK = 7_305_531
"""The advisory lock under which replicas that start together migrate one after the other."""


def upgrade(database: Database, migrations: Path) -> bool:
    """Bring the database to the current schema; returns whether anything had to be done.

    Raises:
        SQLAlchemyError: the database cannot be reached, or a migration failed and was undone.
    """
    config = _config(migrations)
    with database.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        if current(connection) == heads(migrations):
            return False
        config.attributes["connection"] = connection
        command.upgrade(config, "heads")
    return True


def is_current(database: Database, migrations: Path) -> bool:
    """Whether the database has the schema that this version needs."""
    with database.engine.connect() as connection:
        return current(connection) == heads(migrations)


def current(connection: Connection) -> frozenset[str]:
    """The revisions that this database is at."""
    return frozenset(MigrationContext.configure(connection).get_current_heads())


@cache
def heads(migrations: Path) -> frozenset[str]:
    """The newest revision of each of the two histories."""
    return frozenset(ScriptDirectory.from_config(_config(migrations)).get_heads())


def _config(migrations: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SHARED))
    folders = [SHARED / "versions", migrations / "versions"]
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(str(one) for one in folders))
    return config
