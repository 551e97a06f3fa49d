"""A version that was rolled back runs on the schema that the later one has left, and beside it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from infra.composition import build_service
from shared.host.settings import Settings
from shared.persistence.database import Database
from shared.persistence.schema import compare, current, upgrade
from tests.integration.schema.histories import Release, as_it_is, with_newer, without_newest
from tests.servers.postgres import MakeDatabase

TODAY = build_service("billing", Settings()).migrations
COLUMN = 'op.add_column("{table}", sa.Column("later", sa.Text(), nullable=True))'
NEWER_SHARED = with_newer(COLUMN.format(table="inbox"))
NEWER_OWN = with_newer(COLUMN.format(table="mandate"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    sqlite = f"sqlite:///{tmp_path}/billing.db"
    url = sqlite if request.param == "sqlite" else request.getfixturevalue("make_database")("bill")
    with closing(Database(url)) as opened:
        yield opened


def revisions(database: Database) -> frozenset[str]:
    with database.engine.connect() as connection:
        return current(connection)


def test_the_version_before_starts_on_the_newer_schema_with_one_warning(
    database: Database, tmp_path: Path
) -> None:
    # Given the version before, whose histories lack the newest two migrations,
    before = Release(tmp_path, TODAY, shared=without_newest(2), own=without_newest(2))
    # and a database with the schema of this one,
    upgrade(database, TODAY)
    reached = revisions(database)
    # When the version before starts on it,
    with before.installed() as migrations, capture_logs() as lines:
        changed = upgrade(database, migrations)
    # Then it goes on and touches nothing, and one line of the log says what it does not know.
    assert not changed
    assert revisions(database) == reached
    assert [(it["event"], it["log_level"]) for it in lines] == [
        ("schema_newer_than_version", "warning")
    ]
    assert set(lines[0]["unknown_revisions"]) == reached


def test_each_history_may_be_newer_or_older_by_itself(database: Database, tmp_path: Path) -> None:
    # Given a database of which a later version has brought on the shared tables alone,
    with Release(tmp_path / "a", TODAY, shared=NEWER_SHARED, own=without_newest()).installed() as m:
        upgrade(database, m)
    (later,) = (it for it in revisions(database) if it.startswith("shared_"))
    # When this version starts, Then it brings on its own tables and leaves the shared ones.
    assert compare(database, TODAY).behind == ("billing",)
    assert compare(database, TODAY).unknown == (later,)
    assert upgrade(database, TODAY)
    assert compare(database, TODAY).is_sufficient
    assert later in revisions(database)
    # And when the later version comes again, there is nothing left to do.
    with Release(tmp_path / "b", TODAY, shared=NEWER_SHARED, own=as_it_is).installed() as m:
        assert not upgrade(database, m)
        assert not compare(database, m).unknown


def test_a_migration_that_fails_beside_a_newer_history_leaves_that_on_record(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    # Given a database whose shared tables are newer,
    database = Database(make_database("billing"))
    with Release(tmp_path / "a", TODAY, shared=NEWER_SHARED).installed() as migrations:
        upgrade(database, migrations)
    reached = revisions(database)
    # When a migration of the service's own fails,
    failing = Release(tmp_path / "b", TODAY, own=with_newer('op.execute("SELECT 1/0")'))
    with failing.installed() as migrations, pytest.raises(Exception, match="division by zero"):
        upgrade(database, migrations)
    # Then all is as it was.
    assert revisions(database) == reached
    with database.engine.connect() as connection:
        connection.execute(text("SELECT later FROM inbox"))
    database.close()
