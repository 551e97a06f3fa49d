"""What a token's word counts for in a running process."""

from typing import Any
from uuid import uuid4, uuid5

import pytest

from infra.context import whoever_asks
from infra.demo.simulators import website
from infra.operations.administration import tokens
from shared.events.envelope import NAMESPACE
from shared.persistence.database import Database
from shared.processing import Person
from shared.web.auth import make_grant, sign
from tests.e2e.king import collection_result
from tests.integration.http.conftest import Api
from tests.integration.http.test_doors import CONTRACT, concrete, is_problem
from tests.scopes import SCOPES, signed_claims
from tests.servers.premises import wait_until

KINGS = [call for call in CONTRACT if call[2] in {
    "collections:report", "orders:confirm", "offices:manage", "dead-letters:manage"
}]  # fmt: skip
RESULT = collection_result()["data"]


@pytest.mark.parametrize(("method", "path", "scope"), KINGS)
def test_what_is_kings_alone_refuses_every_office(
    api: Api, method: str, path: str, scope: str
) -> None:
    # Given a token of an office that names the scope, When it is used anywhere,
    token = signed_claims(api.stage.key, "all_offices", scope=scope, office="0042")
    # Then it is refused.
    answer = api.call(method, concrete(path), token, json={})
    assert is_problem(answer, 403, "not_for_offices")


@pytest.mark.parametrize(
    ("left_out", "claims", "code"),
    [
        ((), {"office": ""}, "token_without_office"),
        (("all_offices",), {"office": ""}, "token_without_office"),
        (("all_offices",), {"office": 42}, "token_without_office"),
        (("all_offices",), {}, "token_without_office"),
        (("jti", "all_offices"), {}, "token_without_id"),
        (("jti", "all_offices"), {"office": "0042"}, "token_without_id"),
    ],
)
def test_a_token_that_does_not_say_what_it_must_opens_nothing(
    api: Api, left_out: tuple[str, ...], claims: dict[str, Any], code: str
) -> None:
    token = signed_claims(api.stage.key, *left_out, scope="onboardings:read", **claims)
    assert is_problem(api.call("GET", "/api/onboardings", token), 401, code)


def test_a_revoked_token_is_refused_within_seconds(api: Api) -> None:
    # Given a token that was made while the process runs, and is good,
    grant = make_grant(["onboardings:read"], known=SCOPES, name="anna", office="0042")
    token = sign(api.stage.key, grant)
    settings = api.stage.settings
    names = ("signup", "registration", "billing", "activation")
    databases = {name: Database(settings.database_url_of(name)) for name in names}
    by = Person(whoever_asks(), None, "command line")
    tokens.record(databases, grant, by)
    assert api.call("GET", "/api/onboardings", token).status_code == 200
    # When it is revoked in the databases,
    assert tokens.revoke(databases, grant.id, by)
    for database in databases.values():
        database.close()

    # Then the process that runs refuses it, without a start.
    def refused() -> bool:
        return api.call("GET", "/api/onboardings", token).status_code == 401

    wait_until(refused, "the token is refused", 5)
    assert is_problem(api.call("GET", "/api/onboardings", token), 401, "token_revoked")


def test_an_office_emits_the_events_of_its_own_website_alone(api: Api) -> None:
    # Given an office's token for events,
    token = api.token("events:emit", office="0042")
    own = list(website.signups(40, "0042", seed=5))[-1]
    # When it says what another says: KING, dressed up as its own office's, or another website,
    foreign = [
        {**own, "type": "collection.result.v1", "source": "/king-billing",
         "data": RESULT | {"office_code": "0042"}},
        {**own, "source": "/website/0077"},
        {**own, "data": own["data"] | {"office_code": "0077"}},
        {**own, "source": "/website/0077", "data": own["data"] | {"office_code": "0077"}},
    ]  # fmt: skip
    for document in foreign:
        # Then that is refused;
        assert is_problem(
            api.call("POST", "/api/events", token, json=document), 403, "wrong_office"
        )
    # what its own website says is taken.
    assert api.call("POST", "/api/events", token, json=own).status_code == 202


def test_one_key_of_two_offices_signs_up_two_customers(api: Api) -> None:
    # Given two offices whose websites use the same Idempotency-Key,
    key = {"Idempotency-Key": f"order-{uuid4()}"}
    ids = set()
    for office in ("0042", "0077"):
        token = api.token("signup:submit", office=office)
        answer = api.call("POST", "/api/signups", token, json=api.form(office), headers=key)
        # When each signs a customer up, Then neither is in the other's way.
        assert answer.status_code == 202, answer.text
        ids.add(answer.json()["onboarding_id"])
    assert len(ids) == 2


def test_whoever_publishes_first_under_a_guessed_id_is_in_nobodys_way(api: Api) -> None:
    # Given another office that knows the key of a request to come, and all that is public,
    key = f"form-{uuid4()}"
    guessed = str(uuid5(NAMESPACE, f"/website/0042/{key}"))
    event = list(website.signups(40, "0077", seed=6))[-1]
    event |= {"id": str(uuid4()), "subject": guessed, "data": api.form("0077")}
    # When it says a sign-up under the id that it would have,
    theirs = api.token("events:emit", office="0077")
    assert api.call("POST", "/api/events", theirs, json=event).status_code == 202
    answer = api.call(
        "POST", "/api/signups", api.token("signup:submit", office="0042"), json=api.form(),
        headers={"Idempotency-Key": key},
    )  # fmt: skip
    # Then the request is taken, as somebody else's.
    assert answer.status_code == 202, answer.text
    assert answer.json()["onboarding_id"] != guessed


def test_nobody_comes_to_the_id_of_anothers_key(api: Api) -> None:
    # Given the key of one website's request, which somebody else knows,
    key = {"Idempotency-Key": f"form-{uuid4()}"}
    form = api.form()
    theirs = api.call("POST", "/api/signups", api.token("signup:submit"), json=form, headers=key)
    # When somebody else of the same office sends other contents under it,
    other = signed_claims(api.stage.key, scope="signup:submit", sub="bram")
    answer = api.call("POST", "/api/signups", other, json=api.form(), headers=key)
    # Then theirs is another customer.
    assert answer.status_code == 202, answer.text
    assert answer.json()["onboarding_id"] != theirs.json()["onboarding_id"]


def test_one_key_for_two_customers_is_two_requests(api: Api) -> None:
    # Given two customers whom an office must look at,
    first, second = api.sign_up("0077"), api.sign_up("0077")
    for onboarding_id in (first, second):
        api.waits_for(onboarding_id, "review")
    token = api.token("registrations:review", office="0077")
    key = {"Idempotency-Key": f"press-{uuid4()}"}
    # When both are registered under one key, Then both are.
    for onboarding_id in (first, second):
        path = f"/api/registrations/{onboarding_id}/register"
        assert api.call("POST", path, token, headers=key).status_code == 202
        api.waits_for(onboarding_id, "signature_missing")


def test_what_is_not_there_and_what_is_not_yours_are_told_alike(api: Api) -> None:
    # Given a customer of office 0042, and an id and a reference that nobody has,
    theirs, nobody = api.sign_up(), str(uuid4())
    reference, no_reference = api.order_of(theirs), "O-2026-999999"
    calls = [
        ("GET", "/api/onboardings/{}", "onboardings:read", (theirs, nobody)),
        ("POST", "/api/signups/{}/withdraw", "signup:withdraw", (theirs, nobody)),
        ("POST", "/api/registrations/{}/register", "registrations:review", (theirs, nobody)),
        ("GET", "/api/registrations/{}/administration", "administrations:create",
         (theirs, nobody)),
        ("POST", "/api/activations/{}/resend", "users:activate", (theirs, nobody)),
        ("GET", "/api/orders/{}", "orders:read", (reference, no_reference)),
        ("GET", "/api/orders/{}/confirmation.pdf", "orders:read", (reference, no_reference)),
    ]  # fmt: skip
    for method, path, scope, names in calls:
        # When office 0077 asks for either, Then no word tells which it is.
        token = api.token(scope, office="0077")
        answers = [api.call(method, path.format(name), token) for name in names]
        assert [answer.status_code for answer in answers] == [404, 404], path
        assert answers[0].json() == answers[1].json(), path
