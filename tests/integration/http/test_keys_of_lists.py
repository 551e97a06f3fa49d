"""An idempotency key stands for one list of results: for all of it, and for nothing more."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.integration.http.conftest import Api
from tests.integration.http.test_doors import is_problem
from tests.integration.http.test_orders_and_results import MOMENT, signed

NAMES = ("order_reference", "end_to_end_id", "attempt", "currency", "amount_cents")
Report = Callable[..., httpx.Response]


@pytest.fixture
def collection(api: Api) -> dict[str, Any]:
    """What KING should collect of a customer who signed."""
    _, _, row = signed(api)
    return {name: row[name] for name in NAMES}


@pytest.fixture
def report(api: Api, collection: dict[str, Any]) -> Report:
    """Reports what became of the collection, always under the same key."""
    token = api.token("collections:report")
    headers = {"Idempotency-Key": f"list of {collection['end_to_end_id']}"}

    def report(*told: dict[str, str]) -> httpx.Response:
        results = [collection | {"occurred_at": MOMENT} | one for one in told]
        return api.call("POST", "/api/collection-results", token, json=results, headers=headers)

    return report


SUBMITTED = {"status": "submitted"}
LATER = {"status": "submitted", "occurred_at": "2026-01-20T08:00:00Z"}
PAID = {"status": "succeeded"}


@pytest.mark.parametrize(
    "others",
    [[PAID], [SUBMITTED, LATER, PAID], [PAID, SUBMITTED, LATER], [SUBMITTED], [LATER, SUBMITTED]],
    ids=["another", "more behind", "more before", "less", "in another order"],
)
def test_a_key_is_not_taken_for_another_list(
    api: Api, collection: dict[str, Any], report: Report, others: list[dict[str, str]]
) -> None:
    # Given a list that was taken under a key, as often as it came,
    assert report(SUBMITTED, LATER).status_code == report(SUBMITTED, LATER).status_code == 202
    # When the key comes with another list, Then it is refused, and nothing of it is believed.
    assert is_problem(report(*others), 422, "idempotency_key_reused")
    order = api.ask("GET", f"/api/orders/{collection['order_reference']}").json()
    assert not order["released"]


def test_a_list_stays_the_same_when_its_order_becomes_known(api: Api) -> None:
    # Given a list about an order that billing has not heard of yet,
    last = api.order_of(api.sign_up())
    reference = f"{last[:7]}{int(last[7:]) + 1:06d}"
    told = {"order_reference": reference, "end_to_end_id": f"{reference}-1", "attempt": 1}
    told |= {"amount_cents": 21780, "currency": "EUR", "occurred_at": MOMENT} | SUBMITTED
    token, headers = api.token("collections:report"), {"Idempotency-Key": f"about {reference}"}

    def report() -> int:
        path = "/api/collection-results"
        return api.call("POST", path, token, json=[told], headers=headers).status_code

    assert report() == report() == 202
    # When the order is there, Then the very same list is still a repeat.
    assert api.order_of(api.sign_up()) == reference
    assert report() == 202
