"""Behind a pooler in transaction mode nothing is left to a session: each BEGIN may get another's.

What a connection was told when it was opened may be refused, or silently dropped; what it prepared
may be on another server process.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from shared.persistence import postgres
from shared.persistence.database import Database, Trouble, diagnose
from shared.processing.store.tables import DONE
from tests.integration.processing.tally import Replica, customer, release
from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgres import MakeDatabase, Postgres

LIMITS = {
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "1min",
    "TimeZone": "UTC",
}
DROPS_OPTIONS = "ignore_startup_parameters = options"
MakePooler = Callable[..., PgBouncer]


@pytest.fixture(scope="module")
def make_pooler(postgres: Postgres) -> Iterator[MakePooler]:
    """Each call is one more pooler, with settings of its own."""
    made: list[PgBouncer] = []

    def make(**settings: object) -> PgBouncer:
        made.append(PgBouncer(postgres, **settings))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for pooler in made:
        pooler.close()


@pytest.fixture(scope="module", params=["refuses options", "drops options"])
def pooler(request: pytest.FixtureRequest, make_pooler: MakePooler) -> PgBouncer:
    """With two sessions for all who come, so that they change hands at each transaction."""
    extra = DROPS_OPTIONS if request.param == "drops options" else ""
    return make_pooler(pool_size=2, extra=extra)


@pytest.fixture
def straight(make_database: MakeDatabase) -> str:
    """A database in whose server another zone is the default, and no limit is."""
    url = make_database("tally")
    address = make_url(url).set(drivername="postgresql")
    outside = address.render_as_string(hide_password=False)
    with psycopg.connect(outside, autocommit=True) as connection:
        name = sql.Identifier(address.database or "")
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET timezone = 'Europe/Amsterdam'").format(name)
        )
    return url


def limits(database: Database) -> dict[str, str]:
    with database.read() as session:
        return {name: session.execute(text(f"SHOW {name}")).scalar_one() for name in LIMITS}


def test_sign_ups_get_through_and_none_is_blamed(
    pooler: PgBouncer, straight: str, tmp_path: Path
) -> None:
    # Given two replicas by a pooler whose sessions are everybody's in turn,
    replicas = [Replica(pooler.before(straight), tmp_path) for _ in range(2)]
    replicas[0].make_tables()
    # When both deal with messages at once, far beyond the fifth time of each statement,
    names = [f"klant {number}" for number in range(40)]
    with ThreadPoolExecutor(2) as threads:
        halves = (names[::2], names[1::2])
        list(threads.map(_take_each, replicas, halves))
    # Then each has its effect once, and no message was blamed for what a session did not know.
    assert replicas[0].tallies() == {customer(name): 1 for name in names}
    assert {row.status for row in replicas[0].inbox().values()} == {DONE}
    for replica in replicas:
        replica.database.close()


def _take_each(replica: Replica, names: list[str]) -> None:
    for name in names:
        replica.take(release(name))
        replica.sweep()


def test_each_transaction_has_its_limits_and_the_zone(pooler: PgBouncer, straight: str) -> None:
    with closing(Database(pooler.before(straight))) as database:
        assert limits(database) == LIMITS
        # And so has what is looked up without need of a transaction.
        with database.look_up() as session:
            assert session.execute(text("SHOW statement_timeout")).scalar_one() == "30s"
        # And one that writes has them too, and leaves none of them with whoever is next.
        with database.begin() as session:
            assert session.execute(text("SHOW lock_timeout")).scalar_one() == "10s"
    other = make_url(pooler.before(straight)).set(drivername="postgresql")
    with psycopg.connect(other.render_as_string(hide_password=False)) as stranger:
        assert stranger.execute("SHOW lock_timeout").fetchone() == ("0",)


def statements_of(database: Database) -> list[str]:
    """What is sent to this database from now on, statement by statement."""
    sent: list[str] = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_: sent.append(statement),
    )
    return sent


def test_the_limits_come_with_the_begin(pooler: PgBouncer, straight: str) -> None:
    # Given a line that has been used before,
    with closing(Database(pooler.before(straight))) as database:
        limits(database)
        sent = statements_of(database)
        # When a transaction asks one question, Then one more trip begins it, limits and all.
        with database.read() as session:
            session.execute(text("SELECT 1"))
        assert len(sent) == 2
        assert sent[0].startswith("BEGIN;")


def test_a_rest_changes_nothing_in_how_transactions_begin(
    pooler: PgBouncer, straight: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a line that has been used before, and whose server tells what it finds odd,
    with closing(Database(pooler.before(straight))) as database:
        told: list[str | None] = []
        with database.read() as session:
            session.execute(text("SELECT 1"))
            line: Any = session.connection().connection.dbapi_connection
        line.add_notice_handler(lambda notice: told.append(notice.message_primary))
        # When it is used after what counts as a long rest,
        monkeypatch.setattr(postgres, "REST_SECONDS", -1.0)
        assert limits(database) == LIMITS
        # Then no transaction is begun twice.
        assert told == []


def test_what_is_read_in_portions_comes_whole(pooler: PgBouncer, straight: str) -> None:
    with closing(Database(pooler.before(straight))) as database, database.read() as session:
        many = text("SELECT generate_series(1, 500)").execution_options(yield_per=100)
        assert list(session.execute(many).scalars()) == list(range(1, 501))


def test_a_straight_line_pays_nothing_for_poolers(straight: str) -> None:
    # Given a line straight to the server,
    with closing(Database(straight)) as database:
        assert limits(database) == LIMITS
        sent = statements_of(database)
        # When a transaction asks one question, Then nothing else is asked,
        with database.read() as session:
            session.execute(text("SELECT 1"))
        assert sent == ["SELECT 1"]
        # and what is asked again and again is prepared.
        with database.read() as session:
            for _ in range(7):
                session.execute(text("SELECT 2"))
            kept = "SELECT count(*) FROM pg_prepared_statements"
            assert session.execute(text(kept)).scalar_one() == 1


def test_a_plan_that_the_schema_has_outgrown_is_nobodys_fault(straight: str) -> None:
    # Given a statement that a session has prepared,
    with closing(Database(straight)) as database, closing(Database(straight)) as migration:
        with migration.begin() as session:
            session.execute(text("CREATE TABLE shelf (label varchar(10))"))
        asked = text("SELECT label FROM shelf")
        for _ in range(7):
            with database.begin() as session:
                session.execute(asked)
        # When a newer version changes what it returns, Then the line is hung up,
        with migration.begin() as session:
            session.execute(text("ALTER TABLE shelf ALTER label TYPE text"))
        with pytest.raises(DBAPIError) as raised, database.begin() as session:
            session.execute(asked)
        assert diagnose(raised.value) is Trouble.DOWN
        # and the next one works.
        with database.begin() as session:
            session.execute(asked)


def test_a_pooler_that_allows_no_transactions_is_away_and_says_why(
    make_pooler: MakePooler, straight: str
) -> None:
    pooler = make_pooler(mode="statement")
    with closing(Database(pooler.before(straight))) as database:
        with pytest.raises(DBAPIError) as raised, database.read() as session:
            session.execute(text("SELECT 1"))
        assert diagnose(raised.value) is Trouble.DOWN
        assert "statement pooling" in (database.trouble() or "")


def test_a_pooler_that_is_full_or_whose_server_is_away_is_the_databases_fault(
    make_pooler: MakePooler, straight: str
) -> None:
    # Given a pooler that gives up after a second, and somebody who holds its only session,
    pooler = make_pooler(pool_size=1, extra="query_wait_timeout = 1")
    url = pooler.before(straight)
    with closing(Database(url)) as first, closing(Database(url)) as second:
        with first.begin() as held:
            held.execute(text("SELECT 1"))
            # When another comes, Then it waits in vain, and that is nobody's fault.
            with pytest.raises(DBAPIError) as raised, second.read() as session:
                session.execute(text("SELECT 1"))
            assert diagnose(raised.value) is Trouble.DOWN
        with second.read() as session:
            session.execute(text("SELECT 1"))
