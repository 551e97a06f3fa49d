"""No person's data in what is kept or logged of a database's errors."""

import traceback
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.events import CustomerReleased
from shared.processing import Effect
from tests.integration.processing.conftest import on_postgresql
from tests.integration.processing.tally import Replica, Tally, message_id, release

NAME = 'Anna "Annie" de Vries'


def names_nobody(error: str) -> bool:
    return "Anna" not in error and "Annie" not in error


def log_of(replica: Replica, statement: str) -> str:
    """All that a log would hold of what this statement leads to, with the name as parameter."""
    with pytest.raises(DBAPIError) as raised, replica.database.begin() as session:
        session.execute(text(statement), {"name": NAME})
    return str(raised.value) + "".join(traceback.format_exception(raised.value))


def test_the_error_of_a_message_holds_none_of_its_values(replica: Replica) -> None:
    # Given a handler that leads to a row which the database refuses,
    loaded: list[Any] = []
    wrong: dict[str, Any] = {"onboarding_id": NAME, "releases": None, "reminders": 0}

    def call(_message: object, entities: Any, _now: object) -> Sequence[Effect]:
        loaded.append(entities[Tally].add(Tally(**wrong)))
        return []

    replica.handlers[CustomerReleased.event_type] = call
    # When the message comes, Then its row says what was wrong, and names nobody.
    replica.take(release("bakkerij"))
    error = replica.inbox()[message_id("bakkerij")].error or ""
    assert loaded
    assert "releases" in error
    assert names_nobody(error)


def test_what_a_constraint_forbids_is_told_without_the_values(replica: Replica) -> None:
    once = "INSERT INTO tally (onboarding_id, releases, reminders) VALUES (:name, 0, 0)"
    with replica.database.begin() as session:
        session.execute(text(once), {"name": NAME})
    error = log_of(replica, once)
    assert "tally" in error  # Of which table, or by which constraint.
    assert names_nobody(error)


@on_postgresql
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT CAST(CAST(:name AS text) AS integer)",
        "SELECT CAST(CAST(:name AS text) AS uuid)",
        "SELECT CAST(CAST(:name AS text) AS json)",
        "SELECT CAST(CAST(:name AS text) AS timestamptz)",
        "SELECT CAST(:name AS varchar(5)) FROM nowhere",
        "INSERT INTO tally (onboarding_id, releases, reminders) VALUES (repeat(:name, 9), 0, 0)",
    ],
)
def test_what_postgresql_cannot_take_is_told_without_the_value(
    replica: Replica, statement: str
) -> None:
    error = log_of(replica, statement)
    assert "psycopg.errors." in error
    assert names_nobody(error)
