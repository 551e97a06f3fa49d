"""BEVESTIGEN to INLOGGEN over HTTP: orders, signatures, collections, activation, log-in."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from tests.integration.http.conftest import Api
from tests.integration.http.test_doors import is_problem
from tests.servers.premises import wait_until

PASSWORD = re.compile(r"\b[2-9a-hj-km-np-z]{4}(?:-[2-9a-hj-km-np-z]{4}){3}\b")


def test_an_order_shows_its_price_mandate_and_collections_but_no_whole_iban(api: Api) -> None:
    reference = api.order_of(api.sign_up())
    order = api.ask("GET", f"/api/orders/{reference}").json()
    assert order["amount_cents"] > 0
    assert order["mandate"]["iban_ends_with"] == "4300"
    assert "NL91ABNA0417164300" not in str(order)
    assert is_problem(api.ask("GET", "/api/orders/O-2026-999999"), 404)


def test_the_confirmation_is_a_pdf_that_is_always_the_same(api: Api) -> None:
    reference = api.order_of(api.sign_up())
    first, again = (api.ask("GET", f"/api/orders/{reference}/confirmation.pdf") for _ in "ab")
    assert first.headers["content-type"] == "application/pdf"
    assert first.content.startswith(b"%PDF")
    # What was filled in on paper does not change what was sent.
    api.sign(reference, iban="NL20INGB0001234567", account_holder="B")
    third = api.ask("GET", f"/api/orders/{reference}/confirmation.pdf")
    assert first.content == again.content == third.content


def test_a_signature_cannot_be_of_tomorrow(api: Api) -> None:
    reference = api.order_of(api.sign_up())
    tomorrow = (date.today() + timedelta(days=2)).isoformat()
    answer = api.sign(reference, signed_on=tomorrow)
    assert is_problem(answer, 422)
    assert answer.json()["errors"][0]["field"] == "signed_on"


def test_without_any_iban_a_signature_is_not_enough(api: Api) -> None:
    # Given a payer who gave no IBAN, When his signature comes without one,
    reference = api.order_of(api.sign_up(payer={"kind": "customer"}))
    answer = api.sign(reference)
    # Then it is asked for; with it, all is well, and a repeat is harmless.
    assert is_problem(answer, 422)
    assert {error["field"] for error in answer.json()["errors"]} >= {"iban"}
    whole = {"iban": "nl20 ingb 0001 2345 67", "account_holder": "B. Voorbeeld"}
    assert api.sign(reference, **whole).status_code == 202
    assert api.sign(reference, **whole).status_code == 202
    assert api.to_collect(reference)["mandate"]["iban"] == "NL20INGB0001234567"


def test_king_collects_only_what_was_signed(api: Api) -> None:
    # Given an order that is not signed, When KING asks what to collect, Then it is not there;
    reference = api.order_of(api.sign_up())
    listed = api.ask("GET", "/api/collections", params={"limit": 500}).json()
    assert reference not in [row["order_reference"] for row in listed]
    # signed, it is, once, with all that the bank file needs.
    api.sign(reference)
    collection = api.to_collect(reference)
    assert collection["mandate"].keys() >= {"reference", "scheme", "signed_on", "creditor_id"}
    assert date.fromisoformat(collection["collect_on"]) > date.today()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount_cents": -1}, "amount_cents"),
        ({"amount_cents": "100"}, "amount_cents"),
        ({"currency": "euro"}, "currency"),
        ({"status": "maybe"}, "status"),
        ({"occurred_at": "2026-01-20T05:00:00"}, "occurred_at"),
        ({"end_to_end_id": ""}, "end_to_end_id"),
    ],
)
def test_a_wrong_report_of_king_is_refused_by_field(
    api: Api, changes: dict[str, Any], field: str
) -> None:
    fields = {"order_reference": "O-1", "end_to_end_id": "O-1-1", "attempt": 1}
    fields |= {"amount_cents": 100, "currency": "EUR"}
    answer = api.report(fields, **changes)
    assert is_problem(answer, 422, "invalid")
    assert answer.json()["errors"][0]["field"] == field


def test_a_wrong_amount_is_held_until_a_person_decides(api: Api) -> None:
    # Given a signed order, When KING reports a cent too much,
    onboarding_id = api.sign_up()
    reference = api.order_of(onboarding_id)
    api.sign(reference)
    collection = api.to_collect(reference)
    api.report(collection, amount_cents=collection["amount_cents"] + 1)
    # Then nobody is released; the result is held,
    api.waits_for(onboarding_id, "collection_held")
    held = api.ask("GET", "/api/held-results", params={"limit": 500}).json()
    (row,) = [row for row in held if row["order_reference"] == reference]
    # until a person accepts it.
    path = f"/api/held-results/{row['result_id']}/decide"
    decision = {"decision": "accept", "reason": "afgerond door de bank"}
    assert api.ask("POST", path, json=decision).status_code == 202
    api.waits_for(onboarding_id, "ready_to_activate")


def letters(api: Api, kind: str, login_name: str) -> list[str]:
    """The texts of mails of this kind that are about this login name and no longer one."""
    folder: Path = api.stage.settings.data_dir / "mail"
    texts = []
    for path in folder.glob(f"*{kind}*.eml"):
        body = message_from_bytes(path.read_bytes(), policy=policy.default).get_body(("plain",))
        text = body.get_content() if body else ""
        texts += [text] if re.search(rf"(?<![\w.]){re.escape(login_name)}(?!\w)", text) else []
    return texts


def credentials(api: Api, login_name: str) -> list[str]:
    """The passwords that were mailed under a login name, in no order."""
    return [
        found[0]
        for text in letters(api, "-credentials-", login_name)
        if (found := PASSWORD.findall(text))
    ]


def activate(api: Api, onboarding_id: str) -> tuple[str, str]:
    """Login name and password of a customer who was just activated."""
    answer = api.ask("POST", f"/api/activations/{onboarding_id}", json={"channel": "email"})
    assert answer.status_code == 202, answer.text
    name = str(api.waits_for(onboarding_id, "login_expected")["login_name"])
    (password,) = credentials(api, name)
    return name, password


def login(api: Api, name: str, password: str) -> Any:
    return api.call("POST", "/api/login", json={"login_name": name, "password": password})


def test_who_is_not_released_is_refused_with_what_blocks_him(api: Api) -> None:
    onboarding_id = api.sign_up()
    api.order_of(onboarding_id)
    answer = api.ask("POST", f"/api/activations/{onboarding_id}", json={"channel": "email"})
    assert is_problem(answer, 409, "not_ready")
    assert "signature_missing" in [blocker["code"] for blocker in answer.json()["blockers"]]
    again = api.ask("POST", f"/api/activations/{onboarding_id}/resend")
    assert is_problem(again, 409, "never_sent")


def test_two_people_pressing_activate_send_one_message(api: Api) -> None:
    # Given a released customer, whom his office sees in its list,
    onboarding_id = api.release()
    token = api.token("users:activate", office="0042")
    listed = api.call("GET", "/api/activations", token, params={"status": "ready", "limit": 500})
    assert onboarding_id in [row["onboarding_id"] for row in listed.json()]
    # When four people press at once,
    with ThreadPoolExecutor(4) as people:
        path, body = f"/api/activations/{onboarding_id}", {"channel": "email"}
        answers = list(people.map(lambda _: api.call("POST", path, token, json=body), range(4)))
    # Then one message leaves, and the others are told who was first.
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
    name = str(api.waits_for(onboarding_id, "login_expected")["login_name"])
    assert len(credentials(api, name)) == 1
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert "anna" in refused.json()["detail"]


def test_the_first_login_completes_the_plan_and_wants_a_new_password(api: Api) -> None:
    # Given a customer with his credentials, When he types them in his own way,
    onboarding_id = api.release()
    name, password = activate(api, onboarding_id)
    answer = login(api, name.upper(), password.replace("-", "").upper())
    # Then he is in, must choose a password, and has all seven steps behind him.
    assert answer.status_code == 200
    assert answer.json()["must_change_password"] is True
    wait_until(lambda: len(api.stage.done(onboarding_id)) == 7, "all steps are done", 10)
    change = {"login_name": name, "current_password": password}
    weak = api.call("POST", "/api/password", json=change | {"new_password": "kort"})
    assert is_problem(weak, 422, "password_weak")
    good = {"new_password": "vier paarden drinken thee"}
    assert api.call("POST", "/api/password", json=change | good).status_code == 204
    # The one-time password is gone, his own is good.
    assert is_problem(login(api, name, password), 401, "login_failed")
    after = login(api, name, "vier paarden drinken thee")
    assert after.json()["must_change_password"] is False


def test_wrong_passwords_lock_the_door_and_unknown_names_look_the_same(api: Api) -> None:
    name, password = activate(api, api.release())
    unknown = login(api, "niemand.hier", "x")
    wrong = [login(api, name, "x") for _ in range(5)]
    assert [answer.status_code for answer in wrong] == [401] * 5
    assert wrong[0].json() == unknown.json()
    locked = login(api, name, password)
    assert is_problem(locked, 429, "locked")
    assert int(locked.headers["retry-after"]) > 0


def test_resending_voids_what_was_sent_before(api: Api) -> None:
    # Given credentials that were sent, When they are sent again,
    onboarding_id = api.release()
    name, former = activate(api, onboarding_id)
    assert api.ask("POST", f"/api/activations/{onboarding_id}/resend").status_code == 202
    wait_until(lambda: len(credentials(api, name)) == 2, "the second message is there", 10)
    (latter,) = [text for text in credentials(api, name) if text != former]
    # Then only the latter lets him in.
    assert login(api, name, former).status_code == 401
    wait_until(lambda: login(api, name, latter).status_code == 200, "he is in", 10)


def test_a_corrected_address_voids_what_went_to_the_old_one(api: Api) -> None:
    onboarding_id = api.release()
    name, password = activate(api, onboarding_id)
    path = f"/api/onboardings/{onboarding_id}/contact"
    answer = api.ask("PATCH", path, json={"email": "nieuw@klant.example"})
    assert answer.status_code == 200
    assert "undeliverable" in [blocker["code"] for blocker in answer.json()["blockers"]]
    assert login(api, name, password).status_code == 401
    assert is_problem(api.ask("PATCH", path, json={}), 422)
    assert is_problem(api.ask("PATCH", path, json={"mobile": "050 3123456"}), 422)


def test_money_that_goes_back_suspends_the_customer(api: Api) -> None:
    # Given a customer who works, When his bank takes the money back,
    onboarding_id = api.sign_up()
    reference = api.order_of(onboarding_id)
    api.sign(reference)
    collection = api.to_collect(reference)
    api.report(collection)
    api.waits_for(onboarding_id, "ready_to_activate")
    name, password = activate(api, onboarding_id)
    back = {"status": "returned", "reason_code": "AM04", "occurred_at": "2026-01-25T05:00:00Z"}
    api.report(collection, **back)
    api.waits_for(onboarding_id, "release_withdrawn")
    # Then he is suspended, which only he learns who has the password.
    assert is_problem(login(api, name, password), 403, "suspended")
    assert is_problem(login(api, name, "x"), 401, "login_failed")


def test_a_checklist_has_the_fields_of_the_contract(api: Api) -> None:
    checklist = api.waits_for(api.release(), "ready_to_activate")
    assert checklist.keys() == {
        "onboarding_id", "reference", "office_code", "company", "order_reference",
        "administration_number", "login_name", "steps", "blockers", "next_actor",
    }  # fmt: skip
    assert [step["step"] for step in checklist["steps"]] == [
        "INSCHRIJVEN", "AANMELDEN", "INRICHTEN", "BEVESTIGEN", "VRIJGEVEN", "ACTIVEREN",
        "INLOGGEN",
    ]  # fmt: skip
    assert checklist["steps"][0].keys() == {"step", "status", "at", "by"}
    assert checklist["blockers"][0].keys() == {"code", "text", "actor"}
    assert checklist["next_actor"] == "office"
