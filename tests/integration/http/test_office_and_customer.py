"""INSCHRIJVEN to INRICHTEN over HTTP: sign-ups, offices, review, administrations."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.registration.charts import shipped_chart
from shared.host.runtime import utc_now
from shared.links import Purpose
from tests.integration.http.conftest import Api
from tests.integration.http.test_doors import is_problem
from tests.servers.premises import wait_until


def test_a_signup_is_taken_and_can_be_followed(api: Api) -> None:
    # Given a website with a token for its office, When it submits a sign-up,
    token = api.token("signup:submit", office="0042")
    answer = api.call("POST", "/api/signups", token, json=api.form())
    # Then it is told where to follow it.
    assert answer.status_code == 202
    onboarding_id = answer.json()["onboarding_id"]
    links, token = api.stage.settings.page_links(), answer.json()["status_url"].rpartition("/")[2]
    assert answer.json()["status_url"] == f"{api.address}/status/{token}"
    claims = links.read(Purpose.STATUS, token, utc_now()).claims
    assert claims == {"sub": onboarding_id}
    api.waits_for(onboarding_id, "signature_missing")


def test_a_repeat_under_one_key_signs_up_one_customer(api: Api) -> None:
    # Given a website that repeats its request, When the key is the same,
    form, key = api.form(), {"Idempotency-Key": f"form-{uuid4()}"}
    token = api.token("signup:submit")
    first, second = (
        api.call("POST", "/api/signups", token, json=form, headers=key) for _ in range(2)
    )
    # Then the answer is the same; other contents under that key are refused.
    assert first.json() == second.json()
    assert (first.status_code, second.status_code) == (202, 202)
    other = api.call("POST", "/api/signups", token, json=api.form(), headers=key)
    assert is_problem(other, 422, "idempotency_key_reused")


def test_a_wrong_form_is_answered_field_by_field(api: Api) -> None:
    form = api.form()
    form["customer"]["kvk"] = "123"
    form["payer"]["iban"] = "NL00"
    answer = api.ask("POST", "/api/signups", json=form)
    assert is_problem(answer, 422, "signup_invalid")
    assert {error["field"]: error["code"] for error in answer.json()["errors"]} == {
        "customer.kvk": "kvk_format",
        "payer.iban": "iban_invalid",
    }
    assert all(error["message"] for error in answer.json()["errors"])


def test_a_repeat_of_a_wrong_form_is_answered_like_the_first(api: Api) -> None:
    # Given a form that was refused, When the very same is sent again under its key,
    key = {"Idempotency-Key": f"form-{uuid4()}"}
    form = api.form(preferred_channel="duif")
    token = api.token("signup:submit")
    answers = [api.call("POST", "/api/signups", token, json=form, headers=key) for _ in range(2)]
    # Then it is answered as before, never as a success.
    assert [answer.status_code for answer in answers] == [422, 422], answers[1].text
    assert answers[0].json() == answers[1].json()


def test_a_corrected_form_is_taken_under_the_key_of_the_form(api: Api) -> None:
    # Given a website whose key is its form's own number, and a form that was refused twice,
    key, token = {"Idempotency-Key": f"form-{uuid4()}"}, api.token("signup:submit")
    right = api.form()
    wrong = {**right, "customer": {**right["customer"], "kvk": "123"}}
    worse = {**right, "package": {**right["package"], "modules": ["onbekend"]}}

    def send(form: dict[str, Any]) -> httpx.Response:
        return api.call("POST", "/api/signups", token, json=form, headers=key)

    refused = [send(wrong), send(worse)]
    assert all(is_problem(answer, 422, "signup_invalid") for answer in refused)
    # When it is corrected, then it is taken, and goes its way; once more, it is answered alike.
    accepted = send(right)
    assert accepted.status_code == 202, accepted.text
    assert send(right).json() == accepted.json()
    api.waits_for(accepted.json()["onboarding_id"], "signature_missing")
    # What was refused is told the same as before, and the key takes nothing else any more.
    assert [send(wrong).json(), send(worse).json()] == [answer.json() for answer in refused]
    assert is_problem(send(api.form()), 422, "idempotency_key_reused")


def test_a_website_signs_up_for_its_own_office_alone(api: Api) -> None:
    token = api.token("signup:submit", office="0077")
    answer = api.call("POST", "/api/signups", token, json=api.form("0042"))
    assert is_problem(answer, 403, "wrong_office")


def test_offices_are_kept_by_the_back_office(api: Api) -> None:
    # When KING's back office enters an office, Then it is listed as entered.
    body = {"name": "Noord", "email": "k@noord.example", "language": "en", "review": "always"}
    assert api.ask("PUT", "/api/offices/0099", json=body).status_code == 200
    listed = {office["code"]: office for office in api.ask("GET", "/api/offices").json()}
    assert body.items() <= listed["0099"].items()
    wrong = api.ask("PUT", "/api/offices/0099", json=body | {"email": "noord", "review": "soms"})
    assert is_problem(wrong, 422, "invalid")
    assert {error["field"] for error in wrong.json()["errors"]} == {"email", "review"}


def test_an_office_that_reviews_all_registers_or_declines_once(api: Api) -> None:
    # Given two customers of an office that looks at every sign-up,
    yes, no = api.sign_up("0077"), api.sign_up("0077")
    for customer in (yes, no):
        api.waits_for(customer, "review")
    token = api.token("registrations:review", office="0077")
    waiting = api.call("GET", "/api/registrations", token, params={"status": "review"}).json()
    assert {yes, no} <= {row["onboarding_id"] for row in waiting}
    # When it registers one and declines the other,
    register = f"/api/registrations/{yes}/register"
    decline = f"/api/registrations/{no}/decline"
    assert api.call("POST", register, token).status_code == 202
    assert api.call("POST", decline, token, json={"reason": "al klant"}).status_code == 202
    # Then both go their way, and neither is decided again.
    api.waits_for(yes, "signature_missing")
    api.waits_for(no, "declined")
    assert is_problem(api.call("POST", register, token), 409, "already_decided")
    again = api.call("POST", decline, token, json={"reason": "al klant"})
    assert is_problem(again, 409, "already_decided")


def test_an_administration_shows_its_number_origin_and_accounts(api: Api) -> None:
    onboarding_id = api.sign_up()
    api.waits_for(onboarding_id, "signature_missing")
    path = f"/api/registrations/{onboarding_id}/administration"
    administration = api.ask("GET", path).json()
    assert administration["administration_number"].startswith("A-")
    assert administration["copied_from"] == "standard"
    assert len(administration["accounts"]) >= 40
    assert {"number", "name", "rgs", "kind"} <= administration["accounts"][0].keys()
    # Asked for once more, it is the same one.
    for body in (None, {"base_administration": "standard"}):
        assert api.ask("POST", path, json=body).status_code == 202
    assert api.ask("GET", path).json() == administration


def test_a_missing_base_is_a_blocker_until_the_office_makes_or_chooses_one(api: Api) -> None:
    # Given an office whose base administration does not exist yet, and a customer of it,
    api.stage.open_office("0088", base_administration="horeca")
    onboarding_id = api.sign_up("0088")
    api.waits_for(onboarding_id, "administration_failed")
    path = f"/api/registrations/{onboarding_id}/administration"
    assert is_problem(api.ask("GET", path), 404, "no_administration")
    # When the base is entered and the copy repeated,
    token = api.token("administrations:create", office="0088")
    account = {"number": "8000", "name": "Omzet", "rgs": "WOmz", "kind": "result"}
    base = {"name": "Horeca", "accounts": [account]}
    assert api.call("PUT", "/api/base-administrations/horeca", token, json=base).status_code == 200
    assert api.call("POST", path, token).status_code == 202
    # Then the administration is there, with those accounts.
    assert api.ask("GET", path).json()["accounts"] == [account]
    api.waits_for(onboarding_id, "signature_missing")


def test_a_base_without_accounts_gets_the_chart_that_ships_with_the_product(api: Api) -> None:
    # Given a base administration of which only the name is told, as the documentation allows,
    document = api.call("GET", "/openapi.json").json()
    assert document["components"]["schemas"]["Base"]["required"] == ["name"]
    token = api.token("administrations:create", office="0088")
    path = "/api/base-administrations/gewoon"
    answer = api.call("PUT", path, token, json={"name": "Gewoon"})
    # Then it has the accounts of the shipped one; a chart without any is refused.
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"code": "gewoon", "name": "Gewoon", "accounts": len(shipped_chart())}
    empty = api.call("PUT", path, token, json={"name": "Leeg", "accounts": []})
    assert is_problem(empty, 422, "invalid")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_customer_has_no_administration(api: Api, method: str) -> None:
    assert is_problem(api.ask(method, f"/api/registrations/{uuid4()}/administration"), 404)


def test_a_customer_is_withdrawn_by_their_customer_number(api: Api) -> None:
    # Given a customer whom registration gave a number, When the office withdraws them by it,
    onboarding_id = api.sign_up()
    api.waits_for(onboarding_id, "signature_missing")
    number = api.ask("GET", f"/api/registrations/{onboarding_id}").json()["customer_number"]

    def withdraw(office: str) -> httpx.Response:
        token = api.token("signup:withdraw", office=office)
        return api.call("POST", f"/api/signups/{number.lower()}/withdraw", token, json={})

    # Then it is they, and nobody of another office's.
    assert is_problem(withdraw("0077"), 404, "not_found")
    wait_until(lambda: withdraw("0042").status_code == 202, "signup has heard of the number", 10)
    api.waits_for(onboarding_id, "withdrawn")


def test_a_withdrawn_customer_waits_for_nothing_more(api: Api) -> None:
    # Given a customer on his way, When the office withdraws him,
    onboarding_id = api.sign_up()
    api.order_of(onboarding_id)
    reference = api.ask("GET", f"/api/onboardings/{onboarding_id}").json()["reference"]
    path = f"/api/signups/{reference}/withdraw"
    answer = api.ask("POST", path, json={"reason": "ziet ervan af"})
    assert answer.status_code == 202
    recorded = {"onboarding_id": onboarding_id, "reference": reference, "reason": "ziet ervan af"}
    assert answer.json() == recorded
    # Then he has stopped, once.
    assert api.waits_for(onboarding_id, "withdrawn")["next_actor"] == "nobody"
    assert is_problem(api.ask("POST", path), 409, "not_open")


def test_the_door_for_events_takes_those_of_outside_systems(api: Api) -> None:
    document = {"specversion": "1.0", "id": str(uuid4()), "source": "/website/0042"}
    document |= {"type": "signup.submitted.v1", "subject": str(uuid4())}
    document |= {"time": "2026-11-24T09:30:00Z"}
    taken = api.ask("POST", "/api/events", json=document | {"data": api.form()})
    assert taken.status_code == 202
    api.waits_for(str(document["subject"]), "signature_missing")
    ours = document | {"type": "customer.released.v1", "id": str(uuid4()), "data": {}}
    assert is_problem(api.ask("POST", "/api/events", json=ours), 403, "event_not_yours")
    unknown = document | {"type": "signup.imagined.v1", "data": {}}
    assert is_problem(api.ask("POST", "/api/events", json=unknown), 422, "event_unknown")
    half = api.ask("POST", "/api/events", json={"type": "signup.submitted.v1"})
    assert is_problem(half, 422, "event_malformed")
