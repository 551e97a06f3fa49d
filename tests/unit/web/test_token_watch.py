"""A token that was ended is refused within seconds, and nobody is let in blindly for long."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from infra.composition import build_service
from infra.operations.administration import tokens
from shared.base.errors import Unavailable
from shared.host.settings import Settings
from shared.persistence.database import Database
from shared.persistence.schema import upgrade
from shared.processing import Person
from shared.web.auth import Grant, make_grant
from shared.web.token_reading import RefusedToken
from shared.web.token_watch import BLIND_SECONDS, TokenWatch
from tests.scopes import SCOPES

OPERATOR = Person("operator", None, "command line")


@pytest.fixture
def databases(tmp_path: Path) -> Iterator[dict[str, Database]]:
    """Those of two services."""
    opened = {}
    for name in ("signup", "billing"):
        opened[name] = Database(f"sqlite:///{tmp_path}/{name}.db")
        upgrade(opened[name], build_service(name, Settings()).migrations)
    yield opened
    for database in opened.values():
        database.close()


class Lookout:
    """A watch whose clocks stand still until they are moved."""

    def __init__(self, databases: dict[str, Database]) -> None:
        self.now, self.seconds = datetime.now(UTC), 0.0
        self.watch = TokenWatch([*databases.values()], lambda: self.now, lambda: self.seconds)
        self.watch.look()


def new_grant(days: int = 30) -> Grant:
    return make_grant(["orders:read"], known=SCOPES, name="anna", all_offices=True, days=days)


def test_a_revoked_token_is_refused_from_the_next_look_on(databases: dict[str, Database]) -> None:
    # Given a token in use,
    grant = new_grant()
    tokens.record(databases, grant, OPERATOR)
    lookout = Lookout(databases)
    lookout.watch.check(grant)
    # When it is revoked, Then the next look knows.
    assert tokens.revoke(databases, grant.id, OPERATOR)
    lookout.watch.look()
    with pytest.raises(RefusedToken) as refused:
        lookout.watch.check(grant)
    assert (refused.value.code, refused.value.token_id) == ("token_revoked", grant.id)


def test_what_one_database_says_of_a_revoked_token_is_enough(
    databases: dict[str, Database],
) -> None:
    # Given a token that is revoked in one database, while the other was away,
    grant = new_grant()
    tokens.record(databases, grant, OPERATOR)
    tokens.revoke({"billing": databases["billing"]}, grant.id, OPERATOR)
    # When a process sees both, Then it is ended;
    lookout = Lookout(databases)
    with pytest.raises(RefusedToken):
        lookout.watch.check(grant)
    # and stays so while the one that said it is away.
    with databases["billing"].engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE token")
    lookout.watch.look()
    with pytest.raises(RefusedToken):
        lookout.watch.check(grant)


def test_a_token_that_is_on_no_list_is_as_good_as_its_signature(
    databases: dict[str, Database],
) -> None:
    Lookout(databases).watch.check(new_grant())


def test_without_a_database_what_was_known_counts_for_a_minute_and_no_longer(
    databases: dict[str, Database],
) -> None:
    # Given a process whose databases go away,
    lookout = Lookout(databases)
    for database in databases.values():
        with database.engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE token")
    # When it looks in vain for less than a minute, Then what it saw last holds;
    lookout.seconds = BLIND_SECONDS - 1
    lookout.watch.look()
    lookout.watch.check(new_grant())
    # When it is longer, Then nobody is let in.
    lookout.seconds = BLIND_SECONDS + 1
    lookout.watch.look()
    with pytest.raises(Unavailable):
        lookout.watch.check(new_grant())


def test_a_token_in_use_that_expires_soon_is_told_once_a_day(
    databases: dict[str, Database],
) -> None:
    # Given three tokens: one in use that ends in ten days, one in use that ends later, one idle,
    soon, late, idle = new_grant(10), new_grant(40), new_grant(10)
    for grant in (soon, late, idle):
        tokens.record(databases, grant, OPERATOR)
    lookout = Lookout(databases)
    lookout.watch.check(soon)
    lookout.watch.check(late)
    # When the process looks again and again, Then it says so of the first alone, once;
    with capture_logs() as lines:
        lookout.watch.look()
        lookout.watch.look()
    assert [line["token_id"] for line in lines if line["event"] == "token_expires_soon"] == [
        soon.id
    ]
    assert "anna" not in str(lines)
    # and once more the day after.
    lookout.now += timedelta(days=1)
    with capture_logs() as lines:
        lookout.watch.look()
    assert [line["token_id"] for line in lines] == [soon.id]


def test_when_a_token_was_last_used_is_known(databases: dict[str, Database]) -> None:
    used, idle = new_grant(), new_grant()
    for grant in (used, idle):
        tokens.record(databases, grant, OPERATOR)
    lookout = Lookout(databases)
    lookout.watch.check(used)
    lookout.watch.look()
    last_used = {row.id: row.last_used_at for row in tokens.find(databases)}
    assert last_used == {used.id: lookout.now, idle.id: None}


def test_a_database_that_lacks_a_token_is_told_that_it_was_ended(
    databases: dict[str, Database],
) -> None:
    # Given a token that one service's database has lost, as one brought back from a copy has,
    grant = new_grant()
    tokens.record({"signup": databases["signup"]}, grant, OPERATOR)
    # When it is revoked, Then a process that sees that database alone refuses it.
    assert tokens.revoke(databases, grant.id, OPERATOR)
    with pytest.raises(RefusedToken):
        Lookout({"billing": databases["billing"]}).watch.check(grant)


def test_an_unknown_id_is_not_revoked(databases: dict[str, Database]) -> None:
    assert not tokens.revoke(databases, "nobody", OPERATOR)
