"""`stappenplan doctor` says how the services reach their databases, and which limits are lost."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from infra.composition import build_service
from infra.operations.doctor.database_checks import databases
from infra.operations.doctor.finding import Finding
from infra.operations.doctor.session_checks import sessions
from shared.host.settings import Settings
from shared.persistence import postgres
from shared.persistence.database import Database
from shared.persistence.schema import upgrade
from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgres import Databases, Postgres


@pytest.fixture
def url(databases: Databases) -> Iterator[str]:
    """Where signup has its database, and no other service has one."""
    each = databases.make_each(["signup"])
    yield each
    databases.drop(each.replace("{service}", "signup"))


@pytest.fixture
def by_pooler(url: str, pgbouncer: PgBouncer, tmp_path: Path) -> Settings:
    """A database that was brought to its schema by a pooler."""
    settings = Settings(
        broker_url="amqp://broker.example",
        database_url=pgbouncer.before(url),
        data_dir=tmp_path,
    )
    with closing(Database(settings.database_url_of("signup"))) as database:
        assert upgrade(database, build_service("signup", settings).migrations)
    return settings


def limits(settings: Settings) -> Finding:
    (finding,) = sessions(settings)
    assert finding.check == "limits of signup"
    return finding


def test_limits_are_looked_for_where_they_must_hold(
    by_pooler: Settings, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By a pooler and straight the limits hold, and the doctor says which of the two it is.
    assert limits(by_pooler).ok
    assert "by a pooler" in limits(by_pooler).finding
    straight = limits(by_pooler.model_copy(update={"database_url": url}))
    assert (straight.ok, "pooler" in straight.finding) == (True, False)
    # When they are lost on the way, Then each is named, with what it is instead.
    monkeypatch.setattr(postgres, "BEGIN", "BEGIN")
    lost = limits(by_pooler)
    assert not lost.ok
    assert "statement_timeout is 0, not 30s" in lost.finding
    assert "ALTER ROLE" in lost.advice


def test_a_database_that_does_not_answer_says_why_and_no_password(
    by_pooler: Settings, url: str, postgres: Postgres
) -> None:
    # Given a pooler that takes something for a transaction apiece, as no service can work with,
    pooler = PgBouncer(postgres, mode="statement")
    settings = by_pooler.model_copy(update={"database_url": pooler.before(url)})
    # When the doctor looks, Then it says in the pooler's own words what is wrong.
    findings = {finding.check: finding for finding in databases(settings)}
    pooler.close()
    assert "statement pooling" in findings["database signup"].finding
    assert "does not answer" in findings["database billing"].finding
    password = url.partition("://")[2].partition("@")[0].partition(":")[2]
    assert password not in repr(findings)
