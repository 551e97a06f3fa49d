"""Customers over HTTP: searched, filtered, found by references, and their histories."""

from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from tests.integration.http.conftest import Api
from tests.integration.http.test_doors import is_problem
from tests.servers.premises import wait_until

READ = "onboardings:read"


def found(api: Api, token: str | None = None, **params: Any) -> list[str]:
    """The onboarding ids of those who are found."""
    token = token or api.token(READ)
    answer = api.call("GET", "/api/onboardings", token, params=params)
    assert answer.status_code == 200, answer.text
    return [row["onboarding_id"] for row in answer.json()]


@pytest.fixture(scope="module")
def korenaar(api: Api) -> dict[str, Any]:
    """A customer who is released and has a login name; what was filled in, beside their id."""
    form = api.form()
    form["customer"] |= {
        "company": "Zuivelhandel Ünïque de Korenschoof B.V.",
        "email": "Administratie@korenschoof.example",
        "legal_form": "bv",
    }
    form["customer"]["address"] |= {"street": "Grutmolenpad", "number": "17"}
    form["customer"]["address"] |= {"postcode": "9731 xz"}
    onboarding_id = api.release(**form)
    assert (
        api.ask("POST", f"/api/activations/{onboarding_id}", json={"channel": "email"}).status_code
        == 202
    )
    wait_until(lambda: "ACTIVEREN" in api.stage.done(onboarding_id), "it was sent", 20)
    return {"id": onboarding_id, **(api.stage.onboarding(onboarding_id) or {})}


@pytest.mark.parametrize(
    "text",
    [
        "zuivelhandel",
        "Korenschoof",
        "unique de kor",
        "KORENSCHOOF B.V",
        "administratie@korensch",
        "9731xz",
        "9731 XZ",
        "9731 xz 17",
    ],
)
def test_a_customer_is_found_by_how_a_word_of_theirs_begins(
    api: Api, korenaar: dict[str, Any], text: str
) -> None:
    assert found(api, q=text) == [korenaar["id"]]


@pytest.mark.parametrize(
    "name", ["reference", "order_reference", "administration_number", "login_name", "customer"]
)
def test_a_customer_is_found_by_their_references_and_login_name(
    api: Api, korenaar: dict[str, Any], name: str
) -> None:
    # Given a reference of a customer, When it is searched for,
    number = api.ask("GET", f"/api/registrations/{korenaar['id']}").json()["customer_number"]
    text = {**korenaar, "customer": number}[name]
    assert found(api, q=text) == [korenaar["id"]]
    # Then they are found, by no other office, and it stands for their id in a path.
    assert found(api, api.token(READ, office="0077"), q=text) == []
    if name != "login_name":
        shown = api.ask("GET", f"/api/onboardings/{text}")
        assert shown.json()["onboarding_id"] == korenaar["id"]


@pytest.mark.parametrize(
    "text",
    ["{}@Bücherstube.example", "{}@bu\u0308cherstube.ex", "{}@xn--bcherstube-9db.example", "{}@"],
)
def test_an_address_is_found_as_it_was_typed_and_as_it_is_mailed(api: Api, text: str) -> None:
    # Given a customer whose address has letters in its domain that the DNS spells otherwise,
    form, local = api.form(), f"info{uuid4().hex[:8]}"
    form["customer"]["email"] = f"{local}@bücherstube.example"
    onboarding_id = api.sign_up(**form)
    api.waits_for(onboarding_id, "signature_missing")
    # When it is searched for in either spelling, or by how it begins, then they are found.
    assert found(api, q=text.format(local)) == [onboarding_id]


def test_what_nobody_has_finds_nobody(api: Api, korenaar: dict[str, Any]) -> None:
    for text in ("uivelhandel", "%", "_", "S-2026-999999", "!!", "\u202e", "x" * 200):
        assert found(api, q=text) == [], text


def test_customers_are_narrowed_by_step_actor_and_office(api: Api) -> None:
    # Given customers at different steps, of two offices,
    reviewed, unsigned = api.sign_up("0077"), api.sign_up("0042")
    api.waits_for(reviewed, "review")
    api.waits_for(unsigned, "signature_missing")
    # When the list is narrowed, Then only those are on it who are meant.
    assert reviewed in found(api, step="AANMELDEN", actor="office", office="0077", limit=500)
    assert reviewed in found(api, step="AANMELDEN", limit=500)
    assert reviewed not in found(api, step="BEVESTIGEN", limit=500)
    assert reviewed not in found(api, office="0042", limit=500)
    assert unsigned in found(api, step="BEVESTIGEN", actor="payer", limit=500)
    assert unsigned not in found(api, actor="office", limit=500)
    # An office sees its own alone, however it asks; what is no step is refused.
    token = api.token(READ, office="0077")
    assert unsigned not in found(api, token, step="BEVESTIGEN", limit=500)
    other = api.call("GET", "/api/onboardings", token, params={"office": "0042"})
    assert is_problem(other, 404, "not_found")
    assert is_problem(api.ask("GET", "/api/onboardings", params={"step": "KLAAR"}), 422)


def test_a_search_goes_on_from_page_to_page(api: Api) -> None:
    # Given several customers whose company begins alike,
    ids = set()
    for number in range(3):
        form = api.form()
        form["customer"] |= {"company": f"Papaverveld {number} papaverveld"}
        ids.add(api.sign_up(**form))
    for onboarding_id in ids:
        api.waits_for(onboarding_id, "signature_missing")
    # When they are searched for, one a page, Then each comes once.
    seen, path = [], "/api/onboardings?q=papaverveld&limit=1"
    while path:
        answer = api.call("GET", path, api.token(READ))
        seen += [row["onboarding_id"] for row in answer.json()]
        path = next_page(answer)
    assert sorted(seen) == sorted(ids)


def next_page(answer: httpx.Response) -> str:
    parts = urlsplit(answer.links.get("next", {}).get("url", ""))
    return f"{parts.path}?{parts.query}" if parts.path else ""


def test_a_history_tells_what_happened_in_order_who_and_when(api: Api) -> None:
    # Given a customer whom Anna of an office registers, and whose contact she corrects,
    onboarding_id = api.sign_up("0077")
    api.waits_for(onboarding_id, "review")
    token = api.token("registrations:review", "contacts:amend", READ, office="0077")
    register = f"/api/registrations/{onboarding_id}/register"
    assert api.call("POST", register, token).status_code == 202
    api.waits_for(onboarding_id, "signature_missing")
    body = {"email": "nieuw@klant.example"}
    contact = f"/api/onboardings/{onboarding_id}/contact"
    assert api.call("PATCH", contact, token, json=body).status_code == 200
    # When their history is read,
    answer = api.call("GET", f"/api/onboardings/{onboarding_id}/history", token)
    entries = answer.json()
    # Then events and acts are in the order of time, with who was behind each,
    assert [entry["at"] for entry in entries] == sorted(entry["at"] for entry in entries)
    told = [(entry["kind"], entry["what"], entry["by"]) for entry in entries]
    assert ("event", "registration.completed.v1", "anna") in told
    assert ("event", "order.confirmation_sent.v1", None) in told
    assert told[-1] == ("act", "activation.amend_contact", "anna")
    assert entries[-1]["details"] == {"changes": ["email"]}
    assert entries[-1]["office"] == "0077"
    # with nothing of anybody's person,
    assert "nieuw@klant.example" not in answer.text
    # and the checklist names her too.
    standing = api.ask("GET", f"/api/onboardings/{onboarding_id}").json()
    steps = {step["step"]: step for step in standing["steps"]}
    assert steps["AANMELDEN"]["by"] == "anna"
    # Another office is told that there is nobody.
    stranger = api.token(READ, office="0042")
    hidden = api.call("GET", f"/api/onboardings/{onboarding_id}/history", stranger)
    assert is_problem(hidden, 404, "not_found")
