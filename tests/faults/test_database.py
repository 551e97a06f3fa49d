"""What happens to a database must not happen to a customer: nothing is lost, nothing doubled."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import make_url

from infra.composition import service_names
from tests.faults.conftest import Note
from tests.faults.stage import Stage, within
from tests.servers.postgres import Postgres

CUT_OFF = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE %s"
LENGTHY_COMMIT = """
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(0.01); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON inbox
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dawdle();
"""
"""Work that is only done at COMMIT, so that a connection can be cut in the middle of one."""


def test_a_restart_of_the_database(durable_postgres: Postgres, stage: Stage, note: Note) -> None:
    # When the database server is restarted, under load
    durable_postgres.restart()
    # Then everything goes on, and nothing is lost or doubled
    seconds = stage.recovered()
    note("database restarted", stage.ledger(), seconds)


@pytest.mark.parametrize(
    "outage", [0.5, pytest.param(30.0, marks=pytest.mark.faults)], ids=["0.5 s", "30 s"]
)
def test_an_outage_of_the_database(
    durable_postgres: Postgres, stage: Stage, note: Note, outage: float
) -> None:
    # When the database server is killed, and away for a while, under load
    durable_postgres.kill()
    time.sleep(outage)
    durable_postgres.start()
    # Then everything goes on, and nothing is lost or doubled
    seconds = stage.recovered()
    note(f"database away for {outage} s", stage.ledger(), seconds)


def test_connections_are_cut_during_commit(stage: Stage, note: Note) -> None:
    # Given commits that take a while
    for name in service_names():
        with as_owner(stage, name) as owner:
            owner.execute(LENGTHY_COMMIT)
    # When connections are cut while they commit, again and again, under load
    cut = 0
    with as_owner(stage, "signup") as owner:
        query = f"{CUT_OFF} AND query = 'COMMIT' AND state = 'active'"
        deadline = time.monotonic() + 60
        while cut < 20 and time.monotonic() < deadline:
            cut += len(owner.execute(query, [like(stage)]).fetchall())
            time.sleep(0.05)
    assert cut >= 20, "the test did not meet enough commits"
    for name in service_names():
        with as_owner(stage, name) as owner:
            owner.execute("DROP TRIGGER dawdle ON inbox")
    # Then everything goes on, and nothing is lost or doubled
    seconds = stage.recovered()
    note(f"connection cut during commit, {cut} times", stage.ledger(), seconds)


def test_a_lock_is_held_for_longer_than_anybody_waits(stage: Stage, note: Note) -> None:
    # When somebody holds a table for longer than the lock timeout of 10 s, under load
    with as_owner(stage, "registration") as owner, owner.transaction():
        owner.execute("LOCK TABLE inbox IN SHARE ROW EXCLUSIVE MODE")
        within(30, lambda: stage.told("transaction_rerun"), "the services give up waiting")
    # Then everything goes on, and nothing is lost or doubled
    seconds = stage.recovered()
    note("lock held beyond the lock timeout", stage.ledger(), seconds)


def test_the_service_is_the_victim_of_a_deadlock(stage: Stage, note: Note) -> None:
    # When somebody takes inbox and outbox in the other order, under load, until both are stuck
    with as_owner(stage, "registration") as owner:
        owner.execute(
            "SET deadlock_timeout = '20s'"
        )  # So that it is the service that is broken off.
        before = deadlocks(owner)
        while deadlocks(owner) == before:
            with owner.transaction():
                owner.execute("LOCK TABLE inbox IN SHARE ROW EXCLUSIVE MODE")
                time.sleep(0.5)
                owner.execute("LOCK TABLE outbox IN SHARE ROW EXCLUSIVE MODE")
    # Then everything goes on, and nothing is lost or doubled
    seconds = stage.recovered()
    note("deadlock", stage.ledger(), seconds)


def test_transactions_that_cannot_be_serialized(stage: Stage, note: Note) -> None:
    # Given services whose every transaction is serializable
    with as_owner(stage, "signup") as owner:
        for name in service_names():
            database = make_url(stage.settings.database_url_of(name)).database
            owner.execute(
                f'ALTER DATABASE "{database}" SET default_transaction_isolation = serializable'
            )
        owner.execute(f"{CUT_OFF} AND pid <> pg_backend_pid()", [like(stage)])
    # When somebody changes the very rows that they are about to change, under load
    with as_owner(stage, "registration") as owner:
        deadline = time.monotonic() + 60
        while not stage.told("transaction_rerun") and time.monotonic() < deadline:
            with owner.transaction():
                owner.execute("UPDATE number_series SET last = last")
                time.sleep(0.5)
    assert stage.told("transaction_rerun"), "no transaction met another"
    # Then everything goes on, and nothing is lost or doubled
    seconds = stage.recovered()
    note("transactions that cannot be serialized", stage.ledger(), seconds)


def test_a_full_disk(stage: Stage, note: Note) -> None:
    # When the disk is full for whoever writes, under load
    with disk_full(stage):
        within(30, lambda: stage.told("infrastructure_down"), "the services notice")
        time.sleep(3)
    # Then no message was blamed, everything goes on, and nothing is lost or doubled
    seconds = stage.recovered()
    note("disk full", stage.ledger(), seconds)


# The stand-in for a full disk is the very error that PostgreSQL gives for one (53100), given to
# every insertion: a file system that is really full would need rights that not every machine gives.
FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON inbox EXECUTE FUNCTION full_disk();
CREATE TRIGGER full_disk BEFORE INSERT ON outbox EXECUTE FUNCTION full_disk();
"""


@contextmanager
def disk_full(stage: Stage) -> Iterator[None]:
    """Let nothing be inserted in any of the databases."""
    for name in service_names():
        with as_owner(stage, name) as owner:
            owner.execute(FULL)
    yield
    for name in service_names():
        with as_owner(stage, name) as owner:
            owner.execute("DROP FUNCTION full_disk CASCADE")


@contextmanager
def as_owner(stage: Stage, service: str) -> Iterator[psycopg.Connection]:
    """A connection to one service's database, past all that the test does to the services."""
    url = make_url(stage.settings.database_url_of(service)).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        yield connection


def like(stage: Stage) -> str:
    """What the names of this stage's databases begin with."""
    database = make_url(stage.settings.database_url).database or ""
    return database.replace("{service}", "").replace("_", r"\_") + "%"


def deadlocks(owner: psycopg.Connection) -> int:
    """How many there were in this database so far."""
    query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    found = owner.execute(query).fetchone()
    return int(found[0]) if found else 0
