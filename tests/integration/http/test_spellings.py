"""One thing, many spellings: what a standard lets others write is taken over HTTP, too."""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.http.conftest import Api
from tests.integration.http.test_doors import is_problem


def as_dapr_writes_it(data: dict[str, Any], event_id: str, subject: str) -> dict[str, Any]:
    """A sign-up in the envelope that Dapr puts around what it publishes."""
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": "/website/0042",
        "type": "signup.submitted.v1",
        "subject": subject,
        "time": "2026-11-24t09:30:00z",
        "datacontenttype": "application/json; charset=utf-8",
        "pubsubname": "sign-ups",
        "topic": "signup.submitted.v1",
        "traceid": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "tracestate": "",
        "data": data,
    }


@pytest.mark.parametrize(
    "content_type",
    ["application/cloudevents+json; charset=UTF-8", "Application/CloudEvents+JSON",
     "application/json;charset=utf-8", "application/vnd.example+json"],
)  # fmt: skip
def test_an_event_is_taken_by_whatever_name_json_has(api: Api, content_type: str) -> None:
    # Given an event as another program writes it, with ids in a form of its own,
    event_id, subject = uuid4(), uuid4()
    document = as_dapr_writes_it(api.form(), event_id.hex.upper(), subject.hex)
    # When it is sent under one of JSON's names, with a small letter where a large one is usual,
    token = api.token("events:emit")
    headers = {"Content-Type": content_type, "Authorization": f"bearer {token}"}
    body = json.dumps(document)
    answer = api.call("POST", "/api/events", headers=headers, content=body)
    # Then it is taken, and known by the one form of its id;
    assert (answer.status_code, answer.json()) == (202, {"id": str(event_id)})
    # and in another form it is the same one again.
    again = json.dumps(document | {"id": f"urn:uuid:{event_id}"})
    assert api.call("POST", "/api/events", headers=headers, content=again).status_code == 202
    checklist = api.waits_for(str(subject), "signature_missing")
    for written in (subject.hex, str(subject).upper(), checklist["reference"].lower()):
        found = api.ask("GET", f"/api/onboardings/{written}").json()
        assert found["onboarding_id"] == str(subject)


def test_what_is_no_json_is_refused_whatever_it_holds(api: Api) -> None:
    document = as_dapr_writes_it(api.form(), str(uuid4()), str(uuid4()))
    token = api.token("events:emit")
    wrong = document | {"datacontenttype": "text/xml"}
    answer = api.call("POST", "/api/events", token, json=wrong)
    assert is_problem(answer, 422, "event_malformed")
    assert "datacontenttype" in answer.json()["detail"]


def test_a_key_is_the_same_key_in_either_form(api: Api) -> None:
    # Given a sign-up with a key, When it is sent again with the same key written otherwise,
    form, key, token = api.form(), uuid4(), api.token("signup:submit", office="0042")
    answers = [
        api.call(
            "POST", "/api/signups", token, json=form, headers={"Idempotency-Key": written}
        ).json()
        for written in (str(key), key.hex, str(key).upper())
    ]
    # Then it is one sign-up.
    assert len({answer["onboarding_id"] for answer in answers}) == 1


def test_a_language_is_one_in_any_case_and_by_weight(api: Api) -> None:
    # Given a customer whose website writes the tag of a language in full,
    form = api.form()
    form["customer"]["language"] = "EN-gb"
    answer = api.ask("POST", "/api/signups", json=form)
    # Then that is taken.
    assert answer.status_code == 202
    # And a browser that would rather have English gets it, whatever stands first.
    page = api.call("GET", "/login", headers={"Accept-Language": "nl;q=0.3, EN-us;q=0.9"})
    assert 'lang="en"' in page.text


def test_what_wants_no_page_gets_none(api: Api) -> None:
    for accept, kind in (
        ("Text/HTML", "text/html"),
        ("text/html;q=0, application/json", "application/problem+json"),
    ):
        answer = api.call("GET", "/nothing-here", headers={"Accept": accept})
        assert answer.headers["content-type"].partition(";")[0] == kind
