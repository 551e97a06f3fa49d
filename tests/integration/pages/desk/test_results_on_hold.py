"""KING's back office decides about results that do not agree with what was expected."""

import re
from typing import Any

import httpx
import pytest

from tests.integration.http.conftest import Api
from tests.integration.pages.desk.conftest import Staffing
from tests.visitors import Visitor, words_of


def collecting(api: Api) -> tuple[str, dict[str, Any]]:
    """An order that KING is asked to collect for."""
    reference = api.order_of(api.sign_up())
    assert api.sign(reference).status_code == 202
    return reference, api.to_collect(reference)


def held(api: Api, **changes: Any) -> tuple[str, dict[str, Any]]:
    """An order of which KING reports something that a person must look at."""
    reference, collection = collecting(api)
    assert api.report(collection, **changes).status_code == 202
    return reference, collection


def page_of(king: Visitor, reference: str) -> str:
    """Where the result of this order is decided."""
    listed = king.get("/held-results", limit="500")
    (path,) = re.findall(rf'href="(/held-results/{re.escape(reference)}\.[^"]+)"', listed.text)
    return str(path)


def decide(king: Visitor, path: str, decision: str, reason: str = "Gebeld") -> httpx.Response:
    return king.post(path, decision=decision, reason=reason)


def test_too_much_money_may_count_and_the_surplus_stays_noted(api: Api, king: Visitor) -> None:
    # Given a collection that brought a euro too much
    reference, collection = collecting(api)
    api.report(collection, amount_cents=collection["amount_cents"] + 100)
    path = page_of(king, reference)
    # When it is opened, Then both amounts stand there, and the difference
    page = words_of(king.get(path))
    assert "Een ander bedrag dan verwacht" in page
    assert "€ 1,00 te veel" in page
    # When it is let count, Then the customer is released and the surplus noted
    assert "het resultaat telt mee" in words_of(decide(king, path, "accept"))
    order = api.ask("GET", f"/api/orders/{reference}").json()
    assert (order["released"], order["to_pay_back_cents"]) == (True, 100)
    assert "€ 1,00 moet terug naar de betaler" in words_of(king.get(f"/orders/{reference}"))
    # And nobody decides it twice.
    assert "al beslist" in words_of(decide(king, path, "dismiss"))
    assert king.get(path).status_code == 404


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"amount_cents": 100}, "te weinig betaald"), ({"currency": "USD"}, "andere valuta")],
)
def test_what_must_not_count_is_said_beforehand_and_refused(
    api: Api, king: Visitor, changes: dict[str, Any], said: str
) -> None:
    reference, _ = held(api, **changes)
    path = page_of(king, reference)
    page = king.get(path)
    assert said in words_of(page)
    assert 'value="accept"' not in page.text
    # Whoever posts it all the same is told so in words.
    refused = decide(king, path, "accept", "Toch maar <b>")
    assert refused.status_code == 409
    assert "Er is niets besloten" in words_of(refused)
    assert 'value="Toch maar &lt;b&gt;"' in refused.text
    assert "telt niet mee" in words_of(decide(king, path, "dismiss"))
    assert reference not in king.get("/held-results").text


def test_a_decision_needs_a_choice_and_a_reason(api: Api, king: Visitor) -> None:
    reference, _ = held(api, amount_cents=1)
    path = page_of(king, reference)
    answer = king.post(path, reason=" ")
    assert answer.status_code == 422
    assert "Kies wat ermee moet gebeuren" in words_of(answer)
    assert "Vul in waarom" in words_of(answer)
    assert "te lang" in words_of(decide(king, path, "dismiss", "x" * 201))


def test_a_result_of_an_order_that_nobody_knows_is_named_and_put_aside(
    api: Api, king: Visitor
) -> None:
    # Given a report about an order that is not there
    report = {
        "order_reference": "O-2020-999999",
        "end_to_end_id": "O-2020-999999-1",
        "attempt": 1,
        "status": "succeeded",
        "amount_cents": 3926,
        "currency": "EUR",
        "occurred_at": "2026-01-20T05:00:00Z",
    }
    assert api.ask("POST", "/api/collection-results", json=report).status_code == 202
    listed = king.get("/held-results")
    assert "Onbekende order" in words_of(listed)
    row = listed.text.partition("O-2020-999999")[0]
    path = re.findall(r'href="(/held-results/[^"]+)"', row)[-1]
    # When it is let count, Then that is refused; put aside, it is gone.
    assert "De order is niet bekend" in words_of(king.get(path))
    assert decide(king, path, "accept").status_code == 409
    decide(king, path, "dismiss")
    assert "O-2020-999999" not in king.get("/held-results").text


def test_results_on_hold_are_for_king_alone(api: Api, king: Visitor, staff: Staffing) -> None:
    reference, _ = held(api, amount_cents=1)
    path = page_of(king, reference)
    for role, office in (("office", "0042"), ("activator", "0042"), ("operator", None)):
        somebody = staff(role, office)
        assert somebody.get("/held-results").status_code == 403
        assert somebody.get(path).status_code == 403
        assert decide(somebody, path, "dismiss").status_code == 403
