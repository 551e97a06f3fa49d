"""What gets in over HTTP: plain text, no citizen number, and an answer instead of a mail."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from infra.operations.dead_letters.letters import find
from shared.messaging.bus import Outgoing
from tests.integration.http.conftest import Api
from tests.integration.http.test_doors import is_problem
from tests.servers.premises import wait_until

CITIZEN_NUMBER = "111222333"
OFFICE = {"name": "Noord", "email": "k@noord.example"}
SIGNATURE = {"method": "post", "signed_on": "2026-01-05", "signed_by": "A. Voorbeeld"}
RESULT = {
    "order_reference": "O-2026-999999",
    "end_to_end_id": "E",
    "attempt": 1,
    "amount_cents": 1,
    "currency": "EUR",
    "status": "succeeded",
    "occurred_at": "2026-01-20T05:00:00Z",
}
SOMEBODY = "3f2c8a10-6b1d-4e57-9a44-0c5d7e9b1a01"
TEXTS: list[tuple[str, str, dict[str, Any], str]] = [
    ("PUT", "/api/offices/0099", OFFICE, "name"),
    ("PUT", "/api/offices/0099", OFFICE, "phone"),
    ("PUT", "/api/offices/0099", OFFICE, "base_administration"),
    ("POST", f"/api/signups/{SOMEBODY}/withdraw", {}, "reason"),
    ("POST", f"/api/registrations/{SOMEBODY}/decline", {}, "reason"),
    ("POST", f"/api/registrations/{SOMEBODY}/administration", {}, "base_administration"),
    ("PUT", "/api/base-administrations/nieuw", {}, "name"),
    ("POST", "/api/orders/O-2026-999999/signature", SIGNATURE, "signed_by"),
    ("POST", "/api/orders/O-2026-999999/signature", SIGNATURE, "account_holder"),
    ("POST", "/api/collection-results", RESULT, "order_reference"),
    ("POST", "/api/collection-results", RESULT, "end_to_end_id"),
    ("POST", "/api/login", {"password": "x"}, "login_name"),
    ("PATCH", f"/api/onboardings/{SOMEBODY}/contact", {}, "email"),
    ("PATCH", f"/api/onboardings/{SOMEBODY}/contact", {}, "mobile"),
]
PEOPLES_OWN = ("reason", "signed_by", "account_holder", "name")


@pytest.mark.parametrize("sign", ["\x07", "\n", "\x85", "\u202e", "\u2067"], ids=ascii)
@pytest.mark.parametrize(("method", "path", "body", "field"), TEXTS)
def test_no_text_of_any_call_takes_a_control_character(
    api: Api, method: str, path: str, body: dict[str, Any], field: str, sign: str
) -> None:
    answer = api.ask(method, path, json=body | {field: f"a{sign}b"})
    assert is_problem(answer, 422, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    ("method", "path", "body", "field"), [text for text in TEXTS if text[3] in PEOPLES_OWN]
)
def test_no_text_of_a_person_takes_a_citizen_number(
    api: Api, method: str, path: str, body: dict[str, Any], field: str
) -> None:
    answer = api.ask(method, path, json=body | {field: f"zie bsn {CITIZEN_NUMBER}"})
    assert is_problem(answer, 422, "invalid")
    assert CITIZEN_NUMBER not in answer.text


@pytest.mark.parametrize("code", ["a%07b", "a%E2%80%AEb", "%E2%80%8D", "a%C2%A0b"])
@pytest.mark.parametrize(
    ("path", "body"), [("/api/offices", OFFICE), ("/api/base-administrations", {"name": "Nieuw"})]
)
def test_a_code_is_plain_text_in_its_one_form(
    api: Api, path: str, body: dict[str, str], code: str
) -> None:
    assert is_problem(api.ask("PUT", f"{path}/{code}", json=body), 404, "not_found")


def test_a_signup_is_answered_with_its_reference_also_when_it_is_sent_again(api: Api) -> None:
    # Given a website that sends a sign-up twice under one key,
    token, key = api.token("signup:submit"), {"Idempotency-Key": f"form-{uuid4()}"}
    form = api.form()
    answers = [
        api.call("POST", "/api/signups", token, json=form, headers=key).json() for _ in range(2)
    ]
    # Then both answers name what people know it by.
    assert answers[0]["reference"].startswith("S-20")
    assert answers[0] == answers[1]


def test_a_wrong_form_is_answered_and_not_mailed(api: Api) -> None:
    # Given a customer whose form is wrong, When their website sends it over HTTP,
    form = api.form()
    form["customer"] |= {"kvk": "1", "email": "fout@ingevuld.example"}
    assert is_problem(api.ask("POST", "/api/signups", json=form), 422, "signup_invalid")
    # Then the next one is mailed, and they are not.
    good = api.form()
    good["customer"]["email"] = "goed@ingevuld.example"
    onboarding_id = api.ask("POST", "/api/signups", json=good).json()["onboarding_id"]
    api.waits_for(onboarding_id, "signature_missing")
    mails = "".join(path.read_text() for path in mailbox(api).rglob("*.eml"))
    assert "goed@ingevuld.example" in mails
    assert "fout@ingevuld.example" not in mails


def test_what_is_not_theirs_is_told_like_what_is_not_there(api: Api) -> None:
    # Given an office, a customer of another, one who was rejected, and one who never was,
    theirs = api.sign_up("0077")
    rejected, unknown = uuid4(), uuid4()
    emit(api, api.form(preferred_channel="duif"), str(rejected))
    token = api.token("signup:withdraw", office="0042")
    # When it withdraws them, Then it is answered in the same words.
    answers = [
        api.call("POST", f"/api/signups/{customer}/withdraw", token)
        for customer in (theirs, rejected, unknown)
    ]
    assert {answer.text for answer in answers} == {answers[0].text}
    assert is_problem(answers[0], 404, "not_found")


@pytest.mark.parametrize("day", [1764000000, "2026-11-24T00:00:00Z", "20261124"])
def test_a_day_is_written_as_on_paper(api: Api, day: object) -> None:
    answer = api.ask(
        "POST", "/api/orders/O-2026-999999/signature", json=SIGNATURE | {"signed_on": day}
    )
    assert is_problem(answer, 422, "invalid")


@pytest.mark.parametrize(
    "moment", [1764000000, "2026-W48-2T09:30:00Z", "2026-11-24T09:30:00", "1999-12-31T23:59:59Z"]
)
def test_a_moment_of_king_is_one_of_rfc_3339(api: Api, moment: object) -> None:
    answer = api.ask("POST", "/api/collection-results", json=RESULT | {"occurred_at": moment})
    assert is_problem(answer, 422, "invalid")


def mailbox(api: Api) -> Path:
    return api.stage.settings.data_dir / "mail"


@pytest.mark.parametrize(
    ("written", "kept"), [(True, "review"), (False, "no"), ("review", "review"), ("yes", "yes")]
)
def test_how_an_office_pays_is_said_in_a_word_and_taken_as_before(
    api: Api, written: object, kept: str
) -> None:
    answer = api.ask("PUT", "/api/offices/0098", json=OFFICE | {"pays_for_customers": written})
    assert answer.json()["pays_for_customers"] == kept


def test_an_office_has_its_colour_and_its_sites(api: Api) -> None:
    extra: dict[str, Any] = {"color": "#1B6E4F", "sites": ["https://www.Noord.example/"]}
    answer = api.ask("PUT", "/api/offices/0098", json=OFFICE | extra).json()
    assert (answer["color"], answer["sites"]) == ("#1B6E4F", ["https://www.noord.example"])
    wrong: dict[str, Any] = {"color": "groen", "sites": ["javascript:alert(1)"]}
    refused = api.ask("PUT", "/api/offices/0098", json=OFFICE | wrong)
    assert {error["field"] for error in refused.json()["errors"]} == {"color", "sites.0"}


def test_a_citizen_number_is_not_in_a_letter_that_is_refused_whole(api: Api) -> None:
    # Given a sign-up with a citizen number that comes from no website,
    form = api.form(remarks=f"bsn {CITIZEN_NUMBER}")
    document = event(form) | {"source": "/services/signup"}
    body = json.dumps(document).encode()
    # When it is refused, Then the letter tells why, without the number.
    api.stage.line.publish([Outgoing(document["id"], document["type"], body)]).result(30)

    def errors() -> list[str]:
        return [letter.error for letter in find(api.stage.databases())]

    wait_until(lambda: any("said by website" in error for error in errors()), "it is kept", 20)
    assert CITIZEN_NUMBER not in repr(errors())
    assert holders(api) == []


@pytest.mark.parametrize("by_event", [False, True], ids=["over HTTP", "as an event"])
def test_a_citizen_number_is_nowhere_in_what_is_kept(api: Api, by_event: bool) -> None:
    # Given forms with a citizen number in one field each, however it is written,
    fields = ("company", "email", "kvk", "vat_id", "mobile")
    for field in fields:
        form = api.form(remarks=f"{CITIZEN_NUMBER} is mijn BSN")
        form["customer"][field] = CITIZEN_NUMBER
        form["payer"]["account_holder"] = f"BSN={CITIZEN_NUMBER}"
        # When they come over HTTP or as events,
        answer = emit(api, form) if by_event else api.ask("POST", "/api/signups", json=form)
        # Then they are refused,
        assert answer.status_code == (202 if by_event else 422), answer.text
        assert CITIZEN_NUMBER not in answer.text
    # and no database, no mail and no file of the product has it.
    assert holders(api) == []


def holders(api: Api) -> list[Path]:
    """The files of the product that have the citizen number in them."""
    return [
        path
        for path in api.stage.settings.data_dir.rglob("*")
        if path.is_file() and CITIZEN_NUMBER.encode() in content(path)
    ]


def content(path: Path) -> bytes:
    """What stands in a file; nothing in one that has its final name by now."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def event(form: dict[str, Any], about: str | None = None) -> dict[str, Any]:
    """The form as the website of its office says it."""
    document: dict[str, Any] = {"specversion": "1.0", "id": str(uuid4())}
    document |= {"source": "/website/0042", "type": "signup.submitted.v1"}
    document |= {"subject": about or str(uuid4()), "time": "2026-11-24T09:30:00Z"}
    return document | {"data": form}


def emit(api: Api, form: dict[str, Any], about: str | None = None) -> Any:
    return api.ask("POST", "/api/events", json=event(form, about))
