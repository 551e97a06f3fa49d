"""A migration takes as long as it takes, others wait for it and say so; only table locks are short.

The limits that hold for messages are set low here, so that three seconds are a long time.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import IntegrityError
from structlog.testing import capture_logs
from typer.testing import CliRunner

from infra.cli.program import app
from infra.composition import build_service
from shared.host.settings import Settings
from shared.persistence import chores, schema
from shared.persistence import database as databases
from shared.persistence.chores import portion, unlimited, without_hurry
from shared.persistence.database import Database
from shared.persistence.postgres import PatientConnection
from shared.persistence.schema import LOCK, SchemaBusy, compare, current, upgrade
from tests.integration.schema.histories import Release, with_newer, without_newest
from tests.servers.postgres import MakeDatabase
from tests.servers.premises import wait_until

TODAY = build_service("billing", Settings()).migrations
LIMITS = ("statement_timeout = '2s'", "idle_in_transaction_session_timeout = '50s'")
ANSWER_SECONDS = 2.3
LONG = "SELECT pg_sleep(2.6)"
IDLE_LIMIT = "op.get_bind().exec_driver_sql('SHOW idle_in_transaction_session_timeout').scalar()"
TWO_ALIKE = text("INSERT INTO number_series (name, last) VALUES ('one', 5), ('another', 5)")
ADD_COLUMN = 'op.add_column("inbox", sa.Column("later", sa.Text(), nullable=True))'


@pytest.fixture
def database(make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """Billing's database, where every statement is broken off after 2 s unless it is a chore."""
    opened = Database(make_database("billing"))
    monkeypatch.setattr(PatientConnection, "answer_seconds", ANSWER_SECONDS)
    monkeypatch.setattr(chores, "KEEP_LOCKS_SHORT", text("SET LOCAL lock_timeout = '100ms'"))
    monkeypatch.setattr(schema, "PAUSE_FOR_OTHERS_SECONDS", 0.1)
    monkeypatch.setattr(schema, "TOLD_AFTER_SECONDS", 0.3)
    event.listen(opened.engine, "begin", _be_hasty)
    with closing(opened):
        yield opened


def _be_hasty(connection: Connection) -> None:
    for limit in LIMITS:
        connection.exec_driver_sql(f"SET LOCAL {limit}")


@contextmanager
def someone_else(database: Database) -> Iterator[Connection]:
    """A transaction of another process, without limits; it ends when it is committed."""
    engine: Engine = create_engine(database.url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_a_migration_that_takes_longer_than_any_message_may_is_finished(
    database: Database, tmp_path: Path
) -> None:
    # Given a migration that takes long, and says for how long it may do nothing,
    slow = f"op.execute('{LONG}'); assert {IDLE_LIMIT} == '0'"
    # When it runs where a message's statement is broken off after 2 s, Then it is finished,
    with Release(tmp_path, TODAY, own=with_newer(slow)).installed() as migrations:
        assert upgrade(database, migrations)
        assert compare(database, migrations).is_sufficient
    # and the limits hold again for what comes after it on the same connection.
    with pytest.raises(Exception, match="statement timeout"), database.begin() as session:
        session.execute(text(LONG))


def test_who_starts_during_anothers_migration_waits_says_so_once_and_goes_on(
    database: Database,
) -> None:
    sentences: list[str] = []
    with someone_else(database) as other, ThreadPoolExecutor(1) as pool, capture_logs() as lines:
        # Given another process that migrates,
        other.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        # When this one starts, Then it waits for longer than any lock, and says for what,
        starting = pool.submit(upgrade, database, TODAY, tell=sentences.append)
        wait_until(lambda: bool(sentences) or starting.done(), "it says that it waits")
        assert not starting.done()
        # and once the other is ready, it goes on.
        other.rollback()
        assert starting.result(60)
    assert sentences == [
        "waiting to change the database, 10 minutes at most: another process is migrating it"
    ]
    assert [line["event"] for line in lines] == ["schema_upgrade_waits"]


def test_who_waited_in_vain_says_what_for_and_changes_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a process that migrates and never comes to an end,
    monkeypatch.setattr(schema, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setenv("STAPPENPLAN_DATABASE_URL", database.url)
    with someone_else(database) as other:
        other.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        # When a person asks for the upgrade,
        with patch("infra.composition.service_names", return_value=["billing"]):
            answer = CliRunner().invoke(app, ["db", "upgrade"])
    # Then it was told that it must wait, and for what it waited in vain.
    assert "billing: waiting to change the database" in answer.stderr
    assert isinstance(answer.exception, SchemaBusy)
    assert "another process is migrating it. Nothing was changed" in str(answer.exception)
    # Nothing was changed.
    assert compare(database, TODAY).behind == ("shared", "billing")


def test_a_table_that_is_in_use_is_asked_for_again_and_holds_up_nobody_for_long(
    database: Database, tmp_path: Path
) -> None:
    upgrade(database, TODAY)
    later = Release(tmp_path, TODAY, shared=with_newer(ADD_COLUMN))
    sentences: list[str] = []
    with someone_else(database) as other, ThreadPoolExecutor(1) as pool, later.installed() as its:
        # Given somebody who reads a table for long, e.g. for a backup,
        other.execute(text("SELECT count(*) FROM inbox"))
        # When a migration wants to change that table, Then it steps back, and says so,
        starting = pool.submit(upgrade, database, its, tell=sentences.append)
        wait_until(lambda: bool(sentences) or starting.done(), "it says that it waits")
        assert not starting.done()
        # so that a message comes through meanwhile,
        with database.begin() as session:
            session.execute(text("SELECT count(*) FROM inbox"))
        # and it is made when the table is free.
        other.rollback()
        assert starting.result(60)
    assert [it.rpartition(": ")[2] for it in sentences] == ["its tables are in use"]


def test_on_sqlite_a_start_waits_for_whoever_writes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Given a database in which another process writes for longer than a message waits,
    monkeypatch.setattr(databases, "SQLITE_BUSY_MS", 50)
    monkeypatch.setattr(schema, "TOLD_AFTER_SECONDS", 0.1)
    monkeypatch.setattr(schema, "PAUSE_FOR_OTHERS_SECONDS", 0.1)
    sentences: list[str] = []
    with closing(Database(f"sqlite:///{tmp_path}/billing.db")) as database:
        with Release(tmp_path, TODAY, own=without_newest()).installed() as before:
            upgrade(database, before)
        with ThreadPoolExecutor(1) as pool, database.engine.begin():
            # When this one starts, Then it waits, and says so.
            starting = pool.submit(upgrade, database, TODAY, tell=sentences.append)
            wait_until(lambda: bool(sentences) or starting.done(), "it says that it waits")
            assert not starting.done()
        assert starting.result(60)
        assert compare(database, TODAY).is_sufficient


def test_books_are_read_to_their_end_however_long_that_takes(database: Database) -> None:
    # Given a database that is opened for a chore, such as closing the books,
    without_hurry(database)
    # When a query takes longer than any message may, Then it is answered,
    with database.read() as session:
        session.execute(text(LONG))
    # and so is one that looks for what an earlier version left.
    with portion(database) as session:
        session.execute(text(LONG))


def test_whoever_comes_second_sees_what_the_first_has_migrated_whatever_the_roles_default_is(
    make_database: MakeDatabase,
) -> None:
    # Given a role whose transactions see what there was when they began,
    with closing(Database(make_database("billing"))) as database:
        event.listen(database.engine, "begin", _see_the_past)
        # When a chore looks, another commits, and it looks again,
        with unlimited(database) as chore, someone_else(database) as other:
            assert not current(chore)
            other.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
            other.execute(text("INSERT INTO alembic_version VALUES ('shared_0001')"))
            other.commit()
            # Then it sees that.
            assert current(chore) == {"shared_0001"}


def _see_the_past(connection: Connection) -> None:
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def test_a_migration_that_the_rows_do_not_allow_fails_at_once_and_is_undone(
    database: Database, tmp_path: Path
) -> None:
    # Given rows that are alike in what a later version wants to be different,
    upgrade(database, TODAY)
    with database.begin() as session:
        session.execute(TWO_ALIKE)
    unique = with_newer(
        f'{ADD_COLUMN}; op.create_unique_constraint("one", "number_series", ["last"])'
    )
    # When that version starts, Then it fails, and does not wait for the rows to change.
    with Release(tmp_path, TODAY, shared=unique).installed() as its:
        with pytest.raises(IntegrityError):
            upgrade(database, its)
        assert compare(database, its).behind == ("shared",)
