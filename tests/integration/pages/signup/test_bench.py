"""The webmaster tries messages, and reads what they should hold; KING's billing likewise."""

import json
from typing import Any

from services.signup.pages.manual.snippets import (
    example_event,
    example_result,
    example_result_event,
    example_signup,
)
from tests.integration.http.conftest import Api
from tests.visitors import Visitor, words_of

BENCH, KING = "/try/0042", "/try/king-billing"


def tried(visitor: Visitor, document: Any, path: str = BENCH) -> str:
    """What the bench says of a document."""
    text = document if isinstance(document, str) else json.dumps(document)
    answer = visitor.post(path, document=text)
    return words_of(answer)


def test_the_example_that_is_filled_in_would_be_taken(customer: Visitor) -> None:
    assert "signup.submitted.v1" in customer.get(BENCH).text
    assert "zou worden aangenomen" in tried(customer, example_event("0042"))
    assert "zou worden aangenomen" in tried(customer, example_signup("0042"))


def test_nothing_that_is_tried_is_kept(customer: Visitor, api: Api) -> None:
    # Given a message that would be taken, When it is tried
    event = example_event("0042")
    company = "Nergens Bewaard BV"
    event["data"]["customer"]["company"] = company
    assert company in tried(customer, event)
    # Then nobody has signed up.
    answer = api.ask("GET", "/api/onboardings", params={"q": "Nergens"})
    assert answer.json() == []


def test_faults_are_named_by_field_and_slips_of_names_are_found(customer: Visitor) -> None:
    data = example_signup("0042")
    data["customer"]["kvk"] = "123"
    data["customer"]["mobiel"] = data["customer"].pop("mobile")
    data["preferred_channel"] = "sms"
    verdict = tried(customer, data)
    assert "zou worden geweigerd" in verdict
    for words in ("customer.kvk", "kvk_format", "customer.mobile", "customer.mobiel"):
        assert words in verdict


def test_what_an_office_would_notice_is_said_in_the_readers_language(customer: Visitor) -> None:
    data = example_signup("0042")
    del data["customer"]["kvk"]
    assert "Er is geen KvK-nummer ingevuld." in tried(customer, data)
    customer.get(BENCH, lang="en")
    assert "No KvK number was filled in." in tried(customer, data)


def test_what_is_no_event_of_this_website_is_told_so(customer: Visitor) -> None:
    event = example_event("0042")
    for document, words in (
        ("{", "geen leesbare JSON"),
        ("[1]", "Plak één object"),
        (event | {"type": "signup.accepted.v1"}, "signup.submitted.v1"),
        (event | {"source": "/website/0077"}, "/website/0042"),
        (event | {"subject": "42"}, "De envelop klopt niet"),
        (example_signup("0077"), "Deze pagina hoort bij kantoor 0042"),
    ):
        verdict = tried(customer, document)
        assert "zou worden geweigerd" in verdict
        assert words in verdict


def test_kings_billing_tries_its_results(customer: Visitor) -> None:
    assert "zou worden aangenomen" in tried(customer, example_result(), KING)
    assert "zou worden aangenomen" in tried(customer, example_result_event(), KING)
    failed = tried(customer, example_result() | {"status": "failed"}, KING)
    assert "Zonder reason_code" in failed
    wrong = example_result() | {"amount_cents": "290,40", "status": "betaald"}
    del wrong["currency"]
    verdict = tried(customer, wrong, KING)
    for words in ("geheel getal", "submitted, succeeded", "Dit veld ontbreekt"):
        assert words in verdict


def test_the_pages_explain_every_field_price_and_status(customer: Visitor) -> None:
    docs = words_of(customer.get(f"{BENCH}/docs"))
    for words in ("customer.address.postcode", "stappenplan.website.0042", "compleet", "€ 348,00"):
        assert words in docs
    king = words_of(customer.get(f"{KING}/docs"))
    for words in ("collect_on", "Plan zelf geen nieuwe poging", "returned", "end_to_end_id"):
        assert words in king
    customer.http.cookies.clear()
    english = words_of(customer.get("/try/0088/docs"))
    assert "Sign-up by your website" in english
    assert customer.get("/try/9999").status_code == 404
