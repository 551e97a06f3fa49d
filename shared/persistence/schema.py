"""Bringing a service's database to the schema that this version needs.

Each database has two histories side by side: that of the shared tables and that of the service's
own. Alembic walks both to their ends. To see that they are there takes a thousandth of the time
that Alembic takes to load, so it is loaded only when there is a way to go; an empty SQLite database
has none (`fresh.py`).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from shared.base.errors import StappenplanError
from shared.persistence import histories
from shared.persistence.chores import unlimited
from shared.persistence.database import Database, Trouble, diagnose
from shared.persistence.fresh import create_fresh
from shared.persistence.histories import Comparison

if TYPE_CHECKING:
    from alembic.config import Config

VERSIONS = "alembic_version"
LOCK = 7_305_531
"""The advisory lock under which replicas that start together migrate one after the other; never
another, since processes of other versions take the same."""
PATIENCE_SECONDS = 600.0
"""How long a start waits for another's migration, or for tables that are in use."""
TOLD_AFTER_SECONDS = 1.0
PAUSE_SECONDS = 0.25
PAUSE_FOR_OTHERS_SECONDS = 5.0
"""After a vain wait for a table: whoever had to wait behind it comes through meanwhile."""
SQLITE_IN_USE = (5, 6)
"""SQLITE_BUSY and SQLITE_LOCKED, without their extensions."""
FIND = f"SELECT version_num FROM {VERSIONS}"  # noqa: S608 - the names are ours.
REMOVE = text(f"DELETE FROM {VERSIONS} WHERE version_num = :revision")  # noqa: S608
RECORD = text(f"INSERT INTO {VERSIONS} (version_num) VALUES (:revision)")  # noqa: S608

log = structlog.get_logger()
Tell = Callable[[str], object]


class SchemaBusy(StappenplanError):
    """The schema could not be changed in all the time there was; the text says what to do."""


def upgrade(
    database: Database,
    migrations: Path,
    *,
    tell: Tell | None = None,
    patience: float | None = None,
) -> bool:
    """Bring the database to the schema of this version; returns whether anything had to be done.

    A database that a later version has brought further is left as it is, with a warning in the
    log. `tell` is given a sentence when this must wait, as the log is.

    Raises:
        UnrelatedSchema: the database is another service's, or another program's.
        SchemaBusy: another process migrates it, or uses its tables, for longer than `patience`.
        SQLAlchemyError: the database cannot be reached, or a migration failed and was undone.
    """
    before = compare(database, migrations)
    if before.unknown:
        log.warning("schema_newer_than_version", unknown_revisions=list(before.unknown))
    if before.is_sufficient:
        return False
    waiting = _Waiting(PATIENCE_SECONDS if patience is None else patience, tell)
    while True:
        reason, pause = "another process is migrating it", PAUSE_SECONDS
        try:
            with unlimited(database) as connection:
                if _may_migrate(connection):
                    return _migrate(connection, migrations)
        except DBAPIError as error:
            if not _was_in_the_way(error):
                raise
            reason, pause = "its tables are in use", PAUSE_FOR_OTHERS_SECONDS
        waiting.wait(reason, pause)


def compare(database: Database, migrations: Path) -> Comparison:
    """Whether the database is older or newer than this version.

    Raises:
        UnrelatedSchema: the database is another service's, or another program's.
    """
    with database.read() as session:
        return histories.compare(current(session.connection()), migrations)


def is_sufficient(database: Database, migrations: Path) -> bool:
    """Whether the database has all that this version needs; it may have more.

    Raises:
        UnrelatedSchema: the database is another service's, or another program's.
    """
    return compare(database, migrations).is_sufficient


def current(connection: Connection) -> frozenset[str]:
    """The revisions that this database is at."""
    if not inspect(connection).has_table(VERSIONS):
        return frozenset()
    return frozenset(connection.exec_driver_sql(FIND).scalars())


class _Waiting:
    """Waits until the schema can be changed: says so once for each reason, and gives up."""

    def __init__(self, patience: float, tell: Tell | None) -> None:
        self._began = time.monotonic()
        self._patience = patience
        self._tell = tell
        self._told: set[str] = set()

    def wait(self, reason: str, pause: float) -> None:
        """Wait for a moment.

        Raises:
            SchemaBusy: it has waited for long enough.
        """
        waited = time.monotonic() - self._began
        minutes = f"{self._patience / 60:g} minutes"
        if waited >= self._patience:
            log.error("schema_upgrade_given_up", reason=reason, seconds=round(waited))
            raise SchemaBusy(
                f"the database could not be brought to the current schema within {minutes}: "
                f"{reason}. Nothing was changed; see in pg_stat_activity what is at work there, "
                "and start again"
            )
        if waited >= TOLD_AFTER_SECONDS and reason not in self._told:
            self._told.add(reason)
            log.warning("schema_upgrade_waits", reason=reason, at_most_seconds=self._patience)
            if self._tell is not None:
                self._tell(f"waiting to change the database, {minutes} at most: {reason}")
        time.sleep(pause)  # A start has nothing else to do, and nobody tells when a lock is free.


def _may_migrate(connection: Connection) -> bool:
    """Whether this is the one process that migrates now; held until the transaction ends.

    Asked for and not waited for: a wait in the database would fall under its limits, and hold a
    pooler's connection that whoever migrates may need.
    """
    if connection.dialect.name == "sqlite":
        return True  # Its transactions that write are alone by themselves.
    lock = text("SELECT pg_try_advisory_xact_lock(:key)")
    return bool(connection.execute(lock, {"key": LOCK}).scalar_one())


def _was_in_the_way(error: DBAPIError) -> bool:
    """Whether somebody uses a table that is to be changed, or the two waited for each other."""
    if isinstance(error, IntegrityError):
        return False  # Rows that a new constraint does not allow: they will be there again.
    busy = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    return diagnose(error) is Trouble.CONTENTION or busy in SQLITE_IN_USE


def _migrate(connection: Connection, migrations: Path) -> bool:
    now = histories.compare(current(connection), migrations)
    if now.is_sufficient:
        return False  # Another process was first.
    if create_fresh(connection, migrations):
        _replace(connection, (), sorted(histories.heads(migrations)))
        return True
    from alembic import command

    config = _config(migrations)
    config.attributes["connection"] = connection
    with _passed_over(connection, now.unknown, migrations):
        command.upgrade(config, "heads")
    return True


@contextmanager
def _passed_over(
    connection: Connection, unknown: Sequence[str], migrations: Path
) -> Iterator[None]:
    """Have Alembic walk one history while a later version has been at the other.

    It goes on beside no revision for which it finds no file: so the history that is newer stands
    at this version's end meanwhile. Nobody else sees that: all this is one transaction.
    """
    newer = {name.rpartition("_")[0] for name in unknown}
    own = [head for head in histories.heads(migrations) if head.rpartition("_")[0] in newer]
    _replace(connection, unknown, own)
    yield
    _replace(connection, own, unknown)


def _replace(connection: Connection, revisions: Sequence[str], others: Sequence[str]) -> None:
    for statement, names in ((REMOVE, revisions), (RECORD, others)):
        if names:
            connection.execute(statement, [{"revision": name} for name in names])


def _config(migrations: Path) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", _as_option(histories.SHARED))
    config.set_main_option("path_separator", "newline")
    lines = "\n".join(map(_as_option, histories.folders(migrations)))
    config.set_main_option("version_locations", lines)
    return config


def _as_option(folder: Path) -> str:
    """A folder's name as Alembic's configuration has it, where % begins another option's name."""
    return str(folder).replace("%", "%%")
