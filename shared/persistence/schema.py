"""Bringing a service's database to the current schema.

Each database has two histories side by side: that of the shared tables and that of the service's
own. Alembic walks both to their heads. To see that they are there takes a thousandth of the time
that Alembic takes to load, so it is loaded only when there is a way to go.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from shared.persistence.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

SHARED = Path(__file__).parent / "migrations"
VERSIONS = "alembic_version"
LOCK = 7_305_531
"""The advisory lock under which replicas that start together migrate one after the other."""


def upgrade(database: Database, migrations: Path) -> bool:
    """Bring the database to the current schema; returns whether anything had to be done.

    Raises:
        SQLAlchemyError: the database cannot be reached, or a migration failed and was undone.
    """
    with database.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        if current(connection) == heads(migrations):
            return False
        from alembic import command

        config = _config(migrations)
        config.attributes["connection"] = connection
        command.upgrade(config, "heads")
    return True


def is_current(database: Database, migrations: Path) -> bool:
    """Whether the database has the schema that this version needs."""
    with database.engine.connect() as connection:
        return current(connection) == heads(migrations)


def current(connection: Connection) -> frozenset[str]:
    """The revisions that this database is at."""
    if not inspect(connection).has_table(VERSIONS):
        return frozenset()
    found = connection.exec_driver_sql(f"SELECT version_num FROM {VERSIONS}")  # noqa: S608 - ours.
    return frozenset(found.scalars())


@cache
def heads(migrations: Path) -> frozenset[str]:
    """The newest revision of each of the two histories, told by the names of their files."""
    newest = [max(one.stem for one in folder.glob("*_*.py")) for folder in _folders(migrations)]
    return frozenset("_".join(stem.split("_")[:2]) for stem in newest)


def _folders(migrations: Path) -> list[Path]:
    return [SHARED / "versions", migrations / "versions"]


def _config(migrations: Path) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SHARED))
    folders = _folders(migrations)
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(str(one) for one in folders))
    return config
