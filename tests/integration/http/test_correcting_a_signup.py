"""AANMELDEN over HTTP: all that was signed up with, and what the office corrects of it."""

from typing import Any

from tests.integration.http.conftest import Api
from tests.integration.http.test_doors import is_problem
from tests.servers.premises import wait_until

IBAN = "NL91ABNA0417164300"
REVIEW = "registrations:review"


def under_review(api: Api) -> tuple[str, dict[str, Any]]:
    """A customer of an office that looks at every sign-up; their id, and their registration."""
    onboarding_id = api.sign_up("0077")
    path = f"/api/registrations/{onboarding_id}"
    wait_until(lambda: api.ask("GET", path).status_code == 200, "registration has heard of it", 20)
    return onboarding_id, dict(api.ask("GET", path).json())


def test_the_office_sees_everything_but_the_account_number(api: Api) -> None:
    # Given a customer who waits for review, When their office looks,
    onboarding_id, shown = under_review(api)
    token = api.token(REVIEW, office="0077")
    answer = api.call("GET", f"/api/registrations/{onboarding_id}", token)
    # Then all that was filled in is there, but of the account only how it ends;
    assert {"contact", "address", "email", "language"} <= answer.json()["customer"].keys()
    assert answer.json()["payer"]["iban_ends_with"] == "4300"
    assert IBAN not in answer.text
    # KING sees it whole.
    assert shown["payer"]["iban"] == IBAN
    assert shown["payer"]["iban_ends_with"] == "4300"


def test_a_correction_is_answered_with_what_was_recorded_and_is_registered(api: Api) -> None:
    # Given a customer who waits for review, When the office corrects and registers them,
    onboarding_id, _ = under_review(api)
    token, path = api.token(REVIEW, office="0077"), f"/api/registrations/{onboarding_id}"
    body = {"customer": {"company": "De Korenaar", "email": "k@korenaar.example"}}
    corrected = api.call("PATCH", path, token, json=body)
    # Then the answer says what was recorded, by whom, and which fields it was,
    assert corrected.status_code == 200, corrected.text
    assert corrected.json()["customer"]["company"] == "De Korenaar"
    assert corrected.json()["corrected_by"] == "anna"
    (act,) = corrected.json()["acts"]
    assert (act["what"], act["who"], act["office"]) == ("registration.correct", "anna", "0077")
    assert act["details"] == {"fields": ["customer.company", "customer.email"]}
    # the registration says so too, and activation takes it.
    registered = api.call("POST", f"{path}/register", token)
    assert registered.status_code == 202
    assert registered.json()["status"] == "registered"
    assert registered.json()["customer_number"].startswith("K-")
    assert registered.json()["decided_by"] == "anna"
    assert api.waits_for(onboarding_id, "signature_missing")["company"] == "De Korenaar"
    # What was decided is not corrected any more; the state is no HTTP status.
    late = api.call("PATCH", path, token, json=body)
    assert is_problem(late, 409, "already_decided")
    assert (late.json()["state"], late.json()["status"]) == ("registered", 409)


def test_a_correction_is_read_as_a_signup_is(api: Api) -> None:
    # Given a customer who waits for review, When what is pasted holds signs that nobody sees,
    onboarding_id, _ = under_review(api)
    body = {"customer": {"company": "De\u00adVries\tB.V.", "mobile": "\u202a06 12345678\u202c"}}
    corrected = api.ask("PATCH", f"/api/registrations/{onboarding_id}", json=body)
    # Then they are left out, as the form leaves them out.
    assert corrected.status_code == 200, corrected.text
    customer = corrected.json()["customer"]
    assert (customer["company"], customer["mobile"]) == ("DeVries B.V.", "+31612345678")


def test_a_decline_is_answered_with_what_was_recorded(api: Api) -> None:
    onboarding_id, _ = under_review(api)
    path = f"/api/registrations/{onboarding_id}"
    declined = api.ask("POST", f"{path}/decline", json={"reason": "al klant"})
    assert declined.status_code == 202
    assert declined.json()["status"] == "declined"
    again = api.ask("POST", f"{path}/register")
    assert is_problem(again, 409, "already_decided")
    assert (again.json()["state"], again.json()["status"]) == ("declined", 409)


def test_a_wrong_correction_names_each_field(api: Api) -> None:
    onboarding_id, _ = under_review(api)
    path = f"/api/registrations/{onboarding_id}"
    body = {"customer": {"email": "korenaar", "kvk": "1"}, "payer": {"iban": "NL00"}}
    wrong = api.ask("PATCH", path, json=body)
    assert is_problem(wrong, 422, "correction_invalid")
    fields = {error["field"] for error in wrong.json()["errors"]}
    assert fields == {"customer.email", "customer.kvk", "payer.iban"}
    # What breaks a line or turns the direction is wrong in its field;
    for sign in "\n\x07\u202e\u2028":
        hidden = api.ask("PATCH", path, json={"customer": {"company": f"Kore{sign}naar"}})
        assert is_problem(hidden, 422, "correction_invalid")
        assert [error["field"] for error in hidden.json()["errors"]] == ["customer.company"]
    # a field that no sign-up has, and a correction of nothing, are refused.
    unknown: list[Any] = [{}, {"customer": {}}, {"customer": {"bsn": "1"}}, {"status": "done"}]
    for nothing in unknown:
        refused = api.ask("PATCH", path, json=nothing)
        assert is_problem(refused, 422, "invalid")


def test_a_customer_is_found_by_each_of_their_references(api: Api) -> None:
    # Given a customer who was registered, When somebody has but a number of theirs,
    onboarding_id, shown = under_review(api)
    registered = api.ask("POST", f"/api/registrations/{shown['reference']}/register").json()
    assert registered["onboarding_id"] == onboarding_id
    for name in ("reference", "customer_number", "administration_number"):
        # Then it stands for the customer's id, in whatever case it is typed;
        answer = api.ask("GET", f"/api/registrations/{registered[name].lower()}")
        assert answer.json()["onboarding_id"] == onboarding_id, name
        # nobody else's office finds them by it.
        other = api.call(
            "GET", f"/api/registrations/{registered[name]}", api.token(REVIEW, office="0042")
        )
        assert is_problem(other, 404, "not_found")
    for unknown in ("S-2026-999999", "Z-1", "nobody"):
        assert is_problem(api.ask("GET", f"/api/registrations/{unknown}"), 404, "not_found")


def test_asking_for_an_administration_is_answered_with_the_one_there_is(api: Api) -> None:
    onboarding_id, _ = under_review(api)
    api.ask("POST", f"/api/registrations/{onboarding_id}/register")
    path = f"/api/registrations/{onboarding_id}/administration"
    answer = api.ask("POST", path)
    assert answer.status_code == 202
    assert (
        answer.json()["administration_number"]
        == api.ask("GET", path).json()["administration_number"]
    )
    failed = api.ask("POST", path, json={"base_administration": "maan"})
    assert "maan" in failed.json()["administration_error"]
