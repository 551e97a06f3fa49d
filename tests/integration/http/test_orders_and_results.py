"""Billing over HTTP: signatures and slips, lists of orders, reports and what a person decides."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from services.billing.confirmation.notices import scan_token
from shared.host.runtime import utc_now
from shared.trade.calendar import business_day
from tests.integration.http.conftest import Api
from tests.integration.http.test_doors import is_problem

MOMENT = "2026-01-20T05:00:00Z"


def signed(api: Api) -> tuple[str, str, dict[str, Any]]:
    """A signed customer: onboarding id, order's reference, and what KING should collect."""
    onboarding_id = api.sign_up()
    reference = api.order_of(onboarding_id)
    assert api.sign(reference).status_code == 202
    return onboarding_id, reference, api.to_collect(reference)


def held(api: Api, reference: str) -> list[dict[str, Any]]:
    """What a person must decide about an order."""
    rows = api.ask("GET", "/api/held-results", params={"limit": 500}).json()
    return [row for row in rows if row["order_reference"] == reference]


def decide(api: Api, result_id: str, decision: str) -> httpx.Response:
    body = {"decision": decision, "reason": "gebeld met KING"}
    return api.ask("POST", f"/api/held-results/{quote(result_id, safe='')}/decide", json=body)


def day(ago: int) -> str:
    return (business_day(utc_now()) - timedelta(days=ago)).isoformat()


def test_the_answer_to_a_signature_says_what_was_recorded(api: Api) -> None:
    reference = api.order_of(api.sign_up())
    order = api.ask("GET", f"/api/orders/{reference}").json()
    recorded = api.sign(reference).json()
    for name in ("order_reference", "company", "amount_cents", "currency"):
        assert recorded[name] == order[name]
    assert (recorded["iban_ends_with"], recorded["signed_by"]) == ("4300", "A. Voorbeeld")
    # The same again is harmless, and answers the same.
    again = api.sign(reference)
    assert (again.status_code, again.json()) == (202, recorded)


@pytest.mark.parametrize(
    "changes",
    [{"signed_by": "B. Anders"}, {"iban": "NL20INGB0001234567"}, {"account_holder": "Anders"}],
)
def test_a_second_signature_with_other_data_is_told_what_is_recorded(
    api: Api, changes: dict[str, str]
) -> None:
    _, reference, _ = signed(api)
    answer = api.sign(reference, **changes)
    assert is_problem(answer, 409, "already_signed")
    recorded = answer.json()["recorded"]
    assert (recorded["signed_by"], recorded["iban_ends_with"]) == ("A. Voorbeeld", "4300")


@pytest.mark.parametrize(
    ("ago", "code"), [(-2, "in_the_future"), (1, "before_the_order"), (3 * 366 + 1, "lapsed")]
)
def test_nobody_signed_on_a_day_that_cannot_be(api: Api, ago: int, code: str) -> None:
    reference = api.order_of(api.sign_up())
    answer = api.sign(reference, signed_on=day(ago))
    assert is_problem(answer, 422)
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [("signed_on", code)]


def test_a_recorded_signature_can_be_taken_back_until_king_reports(api: Api) -> None:
    # Given a signature that was recorded on the wrong order,
    onboarding_id, reference, collection = signed(api)
    path = f"/api/orders/{reference}/signature"
    # When it is taken back,
    answer = api.ask("DELETE", path, json={"reason": "verkeerde order"})
    # Then the answer says what was undone, and the checklist waits for a signature again.
    assert answer.status_code == 202
    undone = answer.json()
    assert (undone["unsigned"], undone["cancelled"]) == (
        [reference],
        [collection["end_to_end_id"]],
    )
    api.waits_for(onboarding_id, "signature_missing")
    assert is_problem(api.ask("DELETE", path, json={"reason": "nog eens"}), 409, "not_signed")
    # When it is signed rightly, and KING has submitted that, then it stays.
    assert api.sign(reference, signed_by="B. Anders").status_code == 202
    second = api.to_collect(reference)
    assert second["end_to_end_id"] != collection["end_to_end_id"]
    api.report(second, status="submitted")
    refused = api.ask("DELETE", path, json={"reason": "te laat"})
    assert is_problem(refused, 409, "already_reported")


def test_an_order_shows_who_did_what_about_it(api: Api) -> None:
    _, reference, collection = signed(api)
    api.ask("DELETE", f"/api/orders/{reference}/signature", json={"reason": "verkeerde order"})
    api.sign(reference)
    collection = api.to_collect(reference)
    api.report(collection, amount_cents=collection["amount_cents"] + 1)
    decide(api, held(api, reference)[0]["result_id"], "accept")
    acts = api.ask("GET", f"/api/orders/{reference}").json()["acts"]
    assert [act["what"] for act in acts] == [
        "billing.sign_order",
        "billing.withdraw_signature",
        "billing.sign_order",
        "collection.result.v1",
        "billing.decide_result",
    ]
    assert all(act["who"] and act["at"] for act in acts)
    assert acts[1]["details"]["reason"] == "verkeerde order"
    assert acts[-1]["details"]["decision"] == "accept"
    assert "NL91ABNA0417164300" not in str(acts)


def test_the_text_of_the_qr_code_names_the_order_and_its_seal_is_checked(api: Api) -> None:
    reference = api.order_of(api.sign_up())
    text = scan_token(reference, api.stage.settings.sealing_key())
    shown = api.ask("GET", f"/api/orders/{text}")
    assert shown.json()["order_reference"] == reference
    pdf = api.ask("GET", f"/api/orders/{text}/confirmation.pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    assert [row["order_reference"] for row in api.ask("GET", f"/api/orders?q={text}").json()] == [
        reference
    ]
    # However a reference is typed, it is that order's.
    for typed in (reference.lower(), f" {reference} "):
        assert api.ask("GET", f"/api/orders/{typed}").json()["order_reference"] == reference
        rows = api.ask("GET", "/api/orders", params={"q": typed}).json()
        assert [row["order_reference"] for row in rows] == [reference]
    # Whoever makes one up is refused, at every door.
    forged = f"{reference}.{'A' * 12}"
    for path in (f"/api/orders/{forged}", f"/api/orders/{forged}/confirmation.pdf"):
        assert is_problem(api.ask("GET", path), 404, "seal_wrong")
    assert is_problem(api.sign(forged), 404, "seal_wrong")
    assert api.sign(text).json()["order_reference"] == reference


def test_orders_are_listed_by_how_far_they_have_come(api: Api) -> None:
    onboarding_id = api.sign_up()
    reference = api.order_of(onboarding_id)

    def stages(token: str | None = None) -> list[str]:
        """Of which lists the order is part."""
        found = []
        for status in ("unsigned", "signed", "released", "suspended"):
            params: dict[str, Any] = {"status": status, "limit": 500}
            rows = api.ask("GET", "/api/orders", params=params)
            if token is not None:
                rows = api.call("GET", "/api/orders", token, params=params)
            found += [status] if reference in [r["order_reference"] for r in rows.json()] else []
        return found

    assert stages() == ["unsigned"]
    api.sign(reference)
    assert stages() == ["signed"]
    collection = api.to_collect(reference)
    api.report(collection)
    assert stages() == ["released"]
    assert stages(api.token("orders:read", office="0077")) == []
    back = {"status": "refunded", "reason_code": "MD06", "occurred_at": "2026-01-25T05:00:00Z"}
    api.report(collection, **back)
    assert stages() == ["suspended"]


def test_orders_are_found_by_company_and_by_reference(api: Api) -> None:
    reference = api.order_of(api.sign_up())
    row = api.ask("GET", f"/api/orders/{reference}").json()
    company = row["company"]
    pasted = company.replace(" ", "\N{NO-BREAK SPACE}\t")
    for q in (company, company.upper(), company[:6], f"  {company}", pasted, reference):
        rows = api.ask("GET", "/api/orders", params={"q": q, "limit": 500}).json()
        assert reference in [row["order_reference"] for row in rows], q
    for q in (f"{company}x", "O-2026-999999", "zzz", "%"):
        assert api.ask("GET", "/api/orders", params={"q": q}).json() == []


def test_less_than_the_full_amount_is_not_accepted(api: Api) -> None:
    # Given a signed order for which a cent came in,
    onboarding_id, reference, collection = signed(api)
    taken = api.report(collection, amount_cents=1).json()["taken"]
    assert [(row["order_reference"], row["held"]) for row in taken] == [(reference, True)]
    # When KING's back office looks, then what was expected stands beside what came.
    (row,) = held(api, reference)
    assert row["expected"] == {"amount_cents": collection["amount_cents"], "currency": "EUR"}
    assert row["reported"]["amount_cents"] == 1
    assert row["missing_cents"] == collection["amount_cents"] - 1
    # When they accept it, then they are told what is missing; nobody is released.
    answer = decide(api, row["result_id"], "accept")
    assert is_problem(answer, 409, "amount_short")
    assert answer.json()["missing_cents"] == row["missing_cents"]
    assert "ready_to_activate" not in api.stage.blockers(onboarding_id)
    dismissed = decide(api, row["result_id"], "dismiss")
    assert (dismissed.status_code, dismissed.json()["released"]) == (202, False)
    assert held(api, reference) == []


def test_results_under_one_end_to_end_id_are_decided_one_by_one(api: Api) -> None:
    # Given two results that the bank gave no end-to-end id, and one whose id has a slash,
    onboarding_id, reference, collection = signed(api)
    cents = collection["amount_cents"]
    for changes in (
        {"end_to_end_id": "NOTPROVIDED", "amount_cents": cents + 5},
        {"end_to_end_id": "NOTPROVIDED", "amount_cents": 7},
        {"end_to_end_id": "KING/77", "amount_cents": 8},
    ):
        api.report(collection, **changes)
    rows = {row["reported"]["amount_cents"]: row for row in held(api, reference)}
    assert set(rows) == {cents + 5, 7, 8}
    # When one is decided, then the others still wait;
    for amount in (8, 7):
        assert decide(api, rows.pop(amount)["result_id"], "dismiss").status_code == 202
        assert {row["reported"]["amount_cents"] for row in held(api, reference)} == set(rows)
    # and what is accepted releases, with its surplus noted.
    accepted = decide(api, rows[cents + 5]["result_id"], "accept").json()
    assert (accepted["released"], accepted["to_pay_back_cents"]) == (True, 5)
    api.waits_for(onboarding_id, "ready_to_activate")
    gone = api.ask("POST", "/api/collections/NOTPROVIDED/decide", json={})
    assert is_problem(gone, 404)


def test_money_that_comes_twice_is_held_and_goes_back_in_silence(api: Api) -> None:
    onboarding_id, reference, collection = signed(api)
    api.report(collection)
    api.waits_for(onboarding_id, "ready_to_activate")
    again = {"end_to_end_id": "KING-2", "occurred_at": "2026-01-21T05:00:00Z"}
    api.report(collection, **again)
    (row,) = held(api, reference)
    assert row["why"] == "paid_twice"
    order = api.ask("GET", f"/api/orders/{reference}").json()
    assert order["to_pay_back_cents"] == collection["amount_cents"]
    assert decide(api, row["result_id"], "accept").json()["released"]
    back = {"status": "reversed", "occurred_at": "2026-01-22T05:00:00Z", "end_to_end_id": "KING-2"}
    api.report(collection, **back)
    order = api.ask("GET", f"/api/orders/{reference}").json()
    assert (order["released"], order["to_pay_back_cents"]) == (True, 0)
    mails = api.stage.settings.data_dir / "mail"
    told = [path for path in mails.glob("*.eml") if reference in path.read_text(errors="ignore")]
    assert told
    assert [path.name for path in told if "collection_failed" in path.name] == []


def test_a_report_is_one_result_or_a_list_that_is_taken_whole_or_not_at_all(api: Api) -> None:
    # Given two signed orders,
    customers = [signed(api) for _ in range(2)]
    results = [
        {name: row[name] for name in ("order_reference", "end_to_end_id", "attempt", "currency")}
        | {"amount_cents": row["amount_cents"], "status": "succeeded", "occurred_at": MOMENT}
        for _, _, row in customers
    ]
    # When one of a list is wrong, then it is named, and nothing of it was taken;
    wrong = api.ask(
        "POST", "/api/collection-results", json=[*results, {**results[0], "attempt": 0}]
    )
    assert is_problem(wrong, 422, "invalid")
    assert wrong.json()["errors"][0]["field"] == "2.attempt"
    for _, reference, _ in customers:
        assert not api.ask("GET", f"/api/orders/{reference}").json()["collections"][0]["reported"]
    # when all are right, all are taken, and each order's acts tell who brought it.
    answer = api.ask("POST", "/api/collection-results", json=results)
    assert answer.status_code == 202
    taken = answer.json()["taken"]
    assert [row["order_reference"] for row in taken] == [c[1] for c in customers]
    for onboarding_id, reference, _ in customers:
        api.waits_for(onboarding_id, "ready_to_activate")
        acts = api.ask("GET", f"/api/orders/{reference}").json()["acts"]
        assert [act["what"] for act in acts].count("collection.result.v1") == 1


@pytest.mark.parametrize("body", [[], [{}] * 1001, {}, None, "results", [1]])
def test_a_report_that_is_none_is_refused(api: Api, body: object) -> None:
    assert is_problem(api.ask("POST", "/api/collection-results", json=body), 422, "invalid")
