"""What KING reports of money, on real brokers and databases: one result is decided at a time."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from infra.demo.simulators import website
from tests.e2e.stage import Stage
from tests.servers.premises import wait_until

SHIPPED = 12
"""The examples come first; some of them wait for a person."""
SEEDS = count(15)
"""Another company each time: two sign-ups of one would wait for a person too."""


@pytest.fixture
def order(stage: Stage) -> dict[str, Any]:
    """An order that waits for its signature, and for money."""
    *_, document = website.signups(SHIPPED + 1, seed=next(SEEDS))
    submitted = website.fresh(document)
    answer = stage.ask("POST", "signup", "/api/signups", json=submitted["data"])
    onboarding_id = answer.json()["onboarding_id"]

    def placed() -> list[dict[str, Any]]:
        orders = stage.ask("GET", "billing", "/api/orders?limit=500").json()
        return [row for row in orders if row["onboarding_id"] == onboarding_id]

    wait_until(lambda: bool(placed()), "the order is placed")
    reference = placed()[0]["order_reference"]
    return dict(stage.ask("GET", "billing", f"/api/orders/{reference}").json())


def held_of(stage: Stage, reference: str) -> list[dict[str, Any]]:
    """What a person must decide about this order."""
    rows = stage.ask("GET", "billing", "/api/held-results?limit=500").json()
    return [row for row in rows if row["order_reference"] == reference]


def report(reference: str, end_to_end_id: str, amount_cents: int) -> dict[str, Any]:
    """Money that KING says came in."""
    return {
        "order_reference": reference,
        "end_to_end_id": end_to_end_id,
        "attempt": 1,
        "amount_cents": amount_cents,
        "currency": "EUR",
        "status": "succeeded",
        "occurred_at": datetime.now(UTC).isoformat(),
    }


@pytest.mark.parametrize("end_to_end_id", ["NOTPROVIDED", "K/2026/7"])
def test_of_two_results_under_one_id_one_is_decided_alone(
    stage: Stage, order: dict[str, Any], end_to_end_id: str
) -> None:
    # Given two amounts that are not the order's, both under one id that the bank made,
    reference, amount = order["order_reference"], order["amount_cents"]
    results = [report(reference, end_to_end_id, amount + cents) for cents in (1, 2)]
    answer = stage.ask("POST", "billing", "/api/collection-results", json=results)
    assert answer.status_code == 202, answer.text
    surplus, other = held_of(stage, reference)
    # When a person decides one of them,
    decide = f"/api/held-results/{surplus['result_id']}/decide"
    body = {"decision": "dismiss", "reason": "hoort bij een andere klant"}
    assert stage.ask("POST", "billing", decide, json=body).status_code == 202
    # Then the other is held as it was, and the first cannot be decided twice.
    assert [row["result_id"] for row in held_of(stage, reference)] == [other["result_id"]]
    assert stage.ask("POST", "billing", decide, json=body).status_code in (404, 409)
