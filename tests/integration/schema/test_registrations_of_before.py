"""Registrations that an earlier version writes beside this one are found by their references."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import Session, col, select

from infra.composition import build_service
from services.registration.earlier_versions import find_by_reference
from services.registration.models import Registration
from shared.host.settings import Settings
from shared.persistence.database import Database
from shared.persistence.schema import upgrade
from tests.integration.plans import stock

MIGRATIONS = build_service("registration", Settings()).migrations
HEARD = text(
    "INSERT INTO registration (onboarding_id, status, office_code, accepted, heard_at)"
    " VALUES (:id, 'review', '0042', :accepted, '2026-11-24 09:00:00+00:00')"
)
"""As a version wrote it that finds nobody by reference."""
WITHDRAWN = text("INSERT INTO registration (onboarding_id, status) VALUES ('b', 'withdrawn')")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    sqlite = f"sqlite:///{tmp_path}/registration.db"
    url = sqlite if request.param == "sqlite" else request.getfixturevalue("make_database")("reg")
    database = Database(url)
    yield database
    database.close()


def test_whom_an_earlier_version_heard_of_is_found_from_the_next_start_on(
    database: Database,
) -> None:
    # Given the current schema, in which an earlier version goes on writing,
    upgrade(database, MIGRATIONS)
    accepted = stock.golden("signup.accepted.v1")["data"]
    with database.engine.begin() as connection:
        connection.execute(HEARD, {"id": "a", "accepted": json.dumps(accepted)})
        connection.execute(WITHDRAWN)
    # When this version starts, Then the customer has their reference, and who is unknown has none.
    find_by_reference(database)
    with Session(database.engine) as session:
        rows = session.exec(select(Registration).order_by(col(Registration.onboarding_id))).all()
        assert [row.reference for row in rows] == [accepted["reference"], None]
