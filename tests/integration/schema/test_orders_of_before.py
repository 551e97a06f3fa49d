"""Orders that an earlier version placed are listed, found and collected under as before."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import text
from sqlmodel import col, select

from infra.composition import build_service
from services.billing.earlier_versions import list_anew
from services.billing.models import Mandate, Order
from shared.host.settings import Settings
from shared.persistence.database import Database
from shared.persistence.schema import _config, upgrade
from tests.integration.plans import stock

MIGRATIONS = build_service("billing", Settings()).migrations
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ORDER = text(
    "INSERT INTO customer_order (onboarding_id, reference, office_code, registered, amount_cents,"
    " currency, placed_on, mandate_key, signed_on, withdrawn, standing, revision)"
    " VALUES (:id, :reference, '0042', :registered, 4235, 'EUR', :placed, :mandate, :signed,"
    " :withdrawn, :standing, 1)"
)
"""As a version wrote it that has no list of orders."""
MANDATE = text(
    "INSERT INTO mandate (key, reference, scheme, iban, account_holder, signed_on)"
    " VALUES ('order/O-2', 'M-2', 'CORE', 'NL91ABNA0417164300', 'A', :signed)"
)
COLLECTION = text(
    "INSERT INTO collection (key, order_reference, onboarding_id, office_code, end_to_end_id,"
    " attempt, amount_cents, currency, collect_on, requested_at, status, held, results)"
    " VALUES ('O-2/O-2-1', 'O-2', 'b', '0042', 'O-2-1', 1, 4235, 'EUR', :day, :now,"
    " 'succeeded', 0, '[]')"
)
SIGN = text("UPDATE customer_order SET signed_on = :day WHERE onboarding_id = 'a'")
STAGES = {
    "a": ("O-1", None, "open", False, "unsigned"),
    "b": ("O-2", date(2023, 1, 9), "released", False, "released"),
    "c": ("O-3", date(2026, 11, 9), "open", False, "signed"),
    "d": ("O-4", date(2026, 11, 9), "taken_back", False, "suspended"),
    "e": ("O-5", date(2026, 11, 9), "taken_back", True, "withdrawn"),
    "f": (None, None, "open", True, "unplaced"),
}


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    sqlite = f"sqlite:///{tmp_path}/billing.db"
    url = sqlite if request.param == "sqlite" else request.getfixturevalue("make_database")("bill")
    database = Database(url)
    with database.engine.begin() as connection:
        config = _config(MIGRATIONS)
        config.attributes["connection"] = connection
        command.upgrade(config, "billing_0004")
    yield database
    database.close()


def write_as_earlier(database: Database, onboarding_id: str) -> None:
    """An earlier version writes the order of this customer."""
    reference, signed, standing, withdrawn, _ = STAGES[onboarding_id]
    registered: dict[str, Any] | None = None
    if reference is not None:
        registered = stock.golden("registration.completed.v1")["data"]
        registered["customer"]["company"] = f"Bakkerij  Ünlü {onboarding_id}"
    row = {
        "id": onboarding_id,
        "reference": reference,
        "registered": json.dumps(registered),
        "placed": date(2026, 11, 2),
        "mandate": reference and f"order/{reference}",
        "signed": signed,
        "withdrawn": withdrawn,
        "standing": standing,
    }
    with database.engine.begin() as connection:
        connection.execute(ORDER, row)


def test_orders_of_before_are_listed_and_found(database: Database) -> None:
    # Given orders at each stage, as an earlier version wrote them,
    for onboarding_id in STAGES:
        write_as_earlier(database, onboarding_id)
    # When the schema is brought up to date,
    assert upgrade(database, MIGRATIONS)
    # Then each has its stage, and those that were placed are found by their companies.
    with database.read() as session:
        orders = session.exec(select(Order).order_by(col(Order.onboarding_id))).all()
    assert {order.onboarding_id: order.stage for order in orders} == {
        name: stage for name, (*_, stage) in STAGES.items()
    }
    assert [order.company_key for order in orders] == [
        *(f"bakkerij ünlü {name}" for name in "abcde"),
        "",
    ]


def test_a_mandate_of_before_lives_on_from_its_last_collection(database: Database) -> None:
    # Given a mandate of almost four years ago, under which KING collects this month,
    write_as_earlier(database, "b")
    with database.engine.begin() as connection:
        connection.execute(MANDATE, {"signed": date(2023, 1, 9)})
        connection.execute(COLLECTION, {"day": date(2026, 11, 30), "now": NOW})
    # When the schema is brought up to date, then it has not lapsed, and was not refused.
    upgrade(database, MIGRATIONS)
    with database.read() as session:
        mandate = session.get_one(Mandate, "order/O-2")
        assert mandate.used_on == date(2026, 11, 30)
        assert mandate.active_on(NOW.date())


def test_an_earlier_version_writes_orders_beside_this_one(database: Database) -> None:
    # Given the current schema, when an earlier version goes on with its orders, then it can,
    upgrade(database, MIGRATIONS)
    for onboarding_id in STAGES:
        write_as_earlier(database, onboarding_id)
    # and they are among all orders; from the next start on also in their lists, by their names.
    list_anew(database)
    assert listed(database) == {
        name: (stage, "" if stage == "unplaced" else f"bakkerij ünlü {name}")
        for name, (*_, stage) in STAGES.items()
    }
    # What it signs later is there after the next start, too.
    with database.engine.begin() as connection:
        connection.execute(SIGN, {"day": NOW.date()})
    list_anew(database)
    assert listed(database)["a"] == ("signed", "bakkerij ünlü a")


def listed(database: Database) -> dict[str, tuple[str, str]]:
    """By what each order is listed and found."""
    with database.read() as session:
        orders = session.exec(select(Order)).all()
        return {order.onboarding_id: (order.stage, order.company_key) for order in orders}
