"""Who may call what: tokens, scopes, offices; and what everybody may see."""

import re
from uuid import uuid4

import httpx
import pytest

from tests.integration.http.conftest import Api
from tests.scopes import signed_claims

NOBODY = str(uuid4())
CONTRACT = [
    ("POST", "/api/signups", "signup:submit"),
    ("PUT", "/api/offices/{code}", "offices:manage"),
    ("GET", "/api/offices", "offices:manage"),
    ("POST", "/api/signups/{id}/withdraw", "signup:withdraw"),
    ("GET", "/api/registrations", "registrations:review"),
    ("GET", "/api/registrations/{id}", "registrations:review"),
    ("PATCH", "/api/registrations/{id}", "registrations:review"),
    ("POST", "/api/registrations/{id}/register", "registrations:review"),
    ("POST", "/api/registrations/{id}/decline", "registrations:review"),
    ("POST", "/api/registrations/{id}/administration", "administrations:create"),
    ("GET", "/api/registrations/{id}/administration", "administrations:create"),
    ("PUT", "/api/base-administrations/{code}", "administrations:create"),
    ("GET", "/api/orders", "orders:read"),
    ("GET", "/api/orders/{reference}", "orders:read"),
    ("GET", "/api/orders/{reference}/confirmation.pdf", "orders:read"),
    ("POST", "/api/orders/{reference}/signature", "orders:confirm"),
    ("DELETE", "/api/orders/{reference}/signature", "orders:confirm"),
    ("GET", "/api/collections", "collections:report"),
    ("GET", "/api/held-results", "orders:confirm"),
    ("POST", "/api/held-results/{result_id}/decide", "orders:confirm"),
    ("POST", "/api/collection-results", "collections:report"),
    ("GET", "/api/activations", "users:activate"),
    ("POST", "/api/activations/{id}", "users:activate"),
    ("POST", "/api/activations/{id}/resend", "users:activate"),
    ("PATCH", "/api/onboardings/{id}/contact", "contacts:amend"),
    ("GET", "/api/onboardings", "onboardings:read"),
    ("GET", "/api/onboardings/{id}", "onboardings:read"),
    ("GET", "/api/onboardings/{id}/history", "onboardings:read"),
    ("POST", "/api/events", "events:emit"),
    ("GET", "/api/{service}/dead-letters", "dead-letters:manage"),
    ("GET", "/api/{service}/dead-letters/{id}", "dead-letters:manage"),
    ("POST", "/api/{service}/dead-letters/{id}/retry", "dead-letters:manage"),
    ("POST", "/api/{service}/dead-letters/{id}/drop", "dead-letters:manage"),
]
OPEN = [
    ("POST", "/api/login"),
    ("POST", "/api/password"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
]


def template(path: str) -> str:
    """A path with all its parameters alike, for the names of some are free."""
    parts = ("{}" if part.startswith("{") else part for part in path.split("/"))
    return "/".join(parts)


def concrete(path: str) -> str:
    return (
        path.replace("{id}", NOBODY)
        .replace("{service}", "billing")
        .replace("{code}", "0042")
        .replace("{reference}", "O-2026-999999")
        .replace("{result_id}", "O-2026-999999.1")
    )


def is_problem(answer: httpx.Response, status: int, code: str = "") -> bool:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert {"type", "status", "code", "detail"} <= document.keys()
    assert document["type"].endswith(document["code"])
    return document["code"] == code or not code


@pytest.mark.parametrize(("method", "path"), [*((m, p) for m, p, _ in CONTRACT), *OPEN])
def test_every_call_of_the_contract_is_documented(api: Api, method: str, path: str) -> None:
    paths = api.call("GET", "/openapi.json").json()["paths"]
    documented = {template(documented_path): methods for documented_path, methods in paths.items()}
    assert method.lower() in documented[template(path)]


def test_a_website_finds_the_form_in_the_documentation(api: Api) -> None:
    # Given the OpenAPI document, When a website's builder looks up how to submit a sign-up,
    document = api.call("GET", "/openapi.json").json()
    body = document["paths"]["/api/signups"]["post"]["requestBody"]
    schema = body["content"]["application/json"]["schema"]
    # Then every field is there, down to the postcode.
    assert {"office_code", "customer", "package", "payer", "terms"} <= schema["properties"].keys()
    address = schema["properties"]["customer"]["properties"]["address"]
    assert "postcode" in address["properties"]


@pytest.mark.parametrize(("method", "path", "scope"), CONTRACT)
def test_without_a_valid_token_nothing_is_answered(
    api: Api, method: str, path: str, scope: str
) -> None:
    # Given no token, a broken one, one that has expired, and one signed by somebody else,
    expired = signed_claims(api.stage.key, scope=scope, exp=1)
    forged = signed_claims("k" * 40, scope=scope)
    for token in (None, "not.a.token", expired, forged):
        # When it is used, Then the answer is 401.
        answer = api.call(method, concrete(path), token, json={})
        assert is_problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("method", "path", "scope"), [call for call in CONTRACT if call[0] != "GET"]
)
def test_who_may_not_call_is_not_told_what_is_wrong_with_their_body(
    api: Api, method: str, path: str, scope: str
) -> None:
    # Given bodies that nobody could read, When they come without a token or with a wrong one,
    for body in (b'{"a":', b'{"a": NaN}', b"\xff"):
        rest = {"content": body, "headers": {"Content-Type": "application/json"}}
        for token in (None, "not.a.token"):
            # Then the answer is that of anybody without a token;
            answer = api.call(method, concrete(path), token, **rest)
            assert is_problem(answer, 401)
            assert answer.headers["www-authenticate"] == "Bearer"
        # with one for something else it is that of anybody with such a one;
        other = "onboardings:read" if scope != "onboardings:read" else "orders:read"
        answer = api.call(method, concrete(path), api.token(other), **rest)
        assert is_problem(answer, 403, "scope_missing")
        # with a good one it is what to correct.
        rest = {"content": body, "headers": {"Content-Type": "application/json"}}
        answer = api.call(method, concrete(path), api.token(scope), **rest)
        assert is_problem(answer, 400, "json_invalid")


@pytest.mark.parametrize("path", ["/api/login", "/api/password"])
def test_where_no_token_is_asked_everybody_is_told_what_is_wrong_with_their_body(
    api: Api, path: str
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = api.call("POST", path, content=b'{"a":', headers=headers)
    assert is_problem(answer, 400, "json_invalid")


@pytest.mark.parametrize(("method", "path", "scope"), CONTRACT)
def test_a_token_is_good_for_its_own_scope_alone(
    api: Api, method: str, path: str, scope: str
) -> None:
    other = "onboardings:read" if scope != "onboardings:read" else "orders:read"
    answer = api.call(method, concrete(path), api.token(other), json={})
    assert is_problem(answer, 403, "scope_missing")
    assert scope in answer.json()["detail"]


def test_another_offices_customer_is_not_there(api: Api) -> None:
    # Given a customer of one office, with his order,
    onboarding_id = api.sign_up()
    reference = api.order_of(onboarding_id)
    # When another office asks for him in any way,
    calls = [
        ("GET", f"/api/onboardings/{onboarding_id}", "onboardings:read", None),
        ("POST", f"/api/activations/{onboarding_id}", "users:activate", {"channel": "email"}),
        ("POST", f"/api/activations/{onboarding_id}/resend", "users:activate", None),
        ("GET", f"/api/onboardings/{onboarding_id}/history", "onboardings:read", None),
        ("PATCH", f"/api/onboardings/{onboarding_id}/contact", "contacts:amend",
         {"email": "a@b.example"}),
        ("POST", f"/api/signups/{onboarding_id}/withdraw", "signup:withdraw", None),
        ("GET", f"/api/registrations/{onboarding_id}", "registrations:review", None),
        ("PATCH", f"/api/registrations/{onboarding_id}", "registrations:review",
         {"customer": {"company": "Slagerij"}}),
        ("POST", f"/api/registrations/{onboarding_id}/register", "registrations:review", None),
        ("POST", f"/api/registrations/{onboarding_id}/decline", "registrations:review",
         {"reason": "x"}),
        ("POST", f"/api/registrations/{onboarding_id}/administration", "administrations:create",
         None),
        ("GET", f"/api/registrations/{onboarding_id}/administration", "administrations:create",
         None),
        ("GET", f"/api/orders/{reference}", "orders:read", None),
        ("GET", f"/api/orders/{reference}/confirmation.pdf", "orders:read", None),
    ]  # fmt: skip
    for method, path, scope, body in calls:
        # Then it is as if he were not there; his own office sees him.
        answer = api.call(method, path, api.token(scope, office="0077"), json=body)
        assert is_problem(answer, 404), (method, path)
    own = api.token("onboardings:read", office="0042")
    assert api.call("GET", f"/api/onboardings/{onboarding_id}", own).status_code == 200
    # and lists have only their own.
    listed = api.call("GET", "/api/onboardings", api.token("onboardings:read", office="0077"))
    assert {row["office_code"] for row in listed.json()} <= {"0077"}


def test_unknown_paths_and_wrong_methods_are_problems_too(api: Api) -> None:
    assert is_problem(api.call("GET", "/api/nowhere"), 404, "not_found")
    assert is_problem(api.call("DELETE", "/api/offices"), 405, "method_not_allowed")


def test_a_body_that_cannot_be_read_says_so(api: Api) -> None:
    token = api.token("signup:submit")
    headers = {"Content-Type": "application/json"}
    broken = api.call("POST", "/api/signups", token, content=b'{"a":', headers=headers)
    assert is_problem(broken, 400, "json_invalid")
    huge = b'{"a": "' + b"x" * 1024 * 1024 + b'"}'
    large = api.call("POST", "/api/signups", token, content=huge, headers=headers)
    assert is_problem(large, 413, "body_too_large")

    def pieces() -> object:
        yield from (huge[start : start + 65536] for start in range(0, len(huge), 65536))

    # A length that was not announced is counted.
    streamed = api.call("POST", "/api/signups", token, content=pieces(), headers=headers)
    assert is_problem(streamed, 413, "body_too_large")


def test_whoever_watches_over_the_process_needs_no_token(api: Api) -> None:
    assert api.call("GET", "/healthz").json() == {"dead": [], "broker_silent": []}
    assert api.call("GET", "/readyz").json() == {"not_ready_reasons": {}}
    assert "stappenplan" in api.call("GET", "/metrics").text


def test_the_documentation_needs_nobody_elses_machine(api: Api) -> None:
    # Given the page of the documentation, When all that it loads is looked at,
    page = api.call("GET", "/docs").text
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    # Then each comes from here, and is there.
    assert len(loaded) >= 2
    for url in loaded:
        assert url.startswith((api.address, "/"))
        assert api.call("GET", url.removeprefix(api.address)).status_code == 200
    assert "/openapi.json" in page
