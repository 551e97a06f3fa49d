"""What a bearer token must say: an id, and one office or plainly all of them; signed by any key."""

import time
from dataclasses import replace
from typing import Any

import pytest

from infra.composition import scopes
from shared.base.errors import Forbidden
from shared.host.settings import Settings
from shared.web.auth import Caller, issue_token, make_grant, sign
from shared.web.scopes import INCLUDED, KINGS_ALONE, STAFF_ROLES, allows
from shared.web.token_reading import RefusedToken, read_token
from tests.scopes import SCOPES, signed_claims

KEY, OTHER = "k" * 32, "o" * 32


def refusal_of(token: str, *keys: str) -> RefusedToken:
    with pytest.raises(RefusedToken) as refused:
        read_token(keys or (KEY,), token)
    return refused.value


def test_a_token_for_an_office_says_what_was_granted() -> None:
    grant = make_grant(["orders:read"], known=SCOPES, name="anna", office="0042", days=7)
    signed = replace(grant, made_at=grant.made_at.replace(microsecond=0))
    assert read_token(KEY, sign(KEY, grant)) == signed
    assert grant.caller("192.0.2.7") == Caller("anna", frozenset({"orders:read"}), "0042",
                                               "192.0.2.7")  # fmt: skip


def test_a_token_for_all_offices_says_so() -> None:
    token = issue_token(KEY, ["orders:confirm"], known=SCOPES, all_offices=True)
    assert read_token(KEY, token).office is None


def test_tokens_made_within_a_second_are_told_apart_by_when_they_were_made() -> None:
    # Given, from a script that makes one after the other,
    made = [make_grant(["orders:read"], known=SCOPES, all_offices=True).made_at for _ in range(50)]
    # Then the earlier comes first in a list of them.
    assert made[0] < made[-1]
    assert made == sorted(made)


def test_every_token_has_an_id_of_its_own() -> None:
    ids = {make_grant(["orders:read"], known=SCOPES, all_offices=True).id for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"office": "0042", "all_offices": True},
        {"office": ""},
        {"office": " "},
        {"office": "x" * 36},
        {"office": "0042", "name": ""},
        {"office": "0042", "name": "an\nna"},
        {"office": "0042", "days": 0},
    ],
)
def test_a_token_that_is_for_nobody_or_for_both_is_not_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"office|name|days"):
        make_grant(["orders:read"], known=SCOPES, **wrong)


@pytest.mark.parametrize("scope", sorted(KINGS_ALONE))
def test_no_token_of_an_office_is_made_for_what_is_kings_alone(scope: str) -> None:
    with pytest.raises(ValueError, match=scope):
        make_grant(["orders:read", scope], known=SCOPES, office="0042")


@pytest.mark.parametrize("scope", sorted(KINGS_ALONE))
def test_no_office_may_do_what_is_kings_alone_whatever_its_token_says(scope: str) -> None:
    # Given a caller of an office whose token names the scope all the same,
    token = signed_claims(KEY, "all_offices", scope=scope, office="0042")
    caller = read_token(KEY, token).caller()
    # When they use it, Then they are refused; whoever acts for all may.
    with pytest.raises(Forbidden) as refused:
        caller.require_scope(scope)
    assert refused.value.code == "not_for_offices"
    Caller("king", frozenset({scope})).require_scope(scope)


@pytest.mark.parametrize(
    "claims",
    [
        {"office": "0042"},
        {"office": None},
        {"all_offices": "yes"},
        {"all_offices": 1},
        {"all_offices": False},
    ],
)
def test_a_token_that_names_neither_or_both_is_refused(claims: dict[str, Any]) -> None:
    assert refusal_of(signed_claims(KEY, **claims)).code == "token_without_office"


@pytest.mark.parametrize("office", ["", " ", 42, None, ["0042"], {"code": "0042"}, "x" * 36])
def test_an_office_of_another_type_is_none(office: object) -> None:
    token = signed_claims(KEY, "all_offices", office=office)
    assert refusal_of(token).code == "token_without_office"


def test_a_token_of_an_earlier_version_is_refused_with_a_sentence_of_its_own() -> None:
    # Given what an earlier version made: without an id, KING's by silence,
    refusal = refusal_of(signed_claims(KEY, "jti", "all_offices"))
    assert refusal.code == "token_without_id"
    assert "earlier version" in refusal.detail
    # and one with an id that says nothing of offices.
    assert refusal_of(signed_claims(KEY, "all_offices")).code == "token_without_office"


@pytest.mark.parametrize(
    "claims", [{"scope": ["orders:read"]}, {"scope": ""}, {"sub": ""}, {"exp": 1e300}, {"jti": 7}]
)
def test_claims_of_another_type_make_no_token(claims: dict[str, Any]) -> None:
    assert refusal_of(signed_claims(KEY, **claims)).code == "token_invalid"


def test_any_of_the_keys_verifies_and_no_other() -> None:
    token = signed_claims(OTHER)
    assert read_token((KEY, OTHER), token).name == "anna"
    assert refusal_of(token, KEY).code == "token_invalid"


def test_clocks_may_be_a_minute_apart() -> None:
    # Given machines whose clocks differ by less than a minute, Then that is nobody's fault.
    now = time.time()
    for claims in ({"exp": now - 50}, {"iat": now + 50}, {"nbf": now + 50}):
        assert read_token(KEY, signed_claims(KEY, **claims)).name == "anna"
    # When they differ by more, Then the sentence says which way.
    assert refusal_of(signed_claims(KEY, exp=now - 70)).code == "token_expired"
    for claims in ({"iat": now + 90}, {"nbf": now + 90}):
        refusal = refusal_of(signed_claims(KEY, **claims))
        assert refusal.code == "token_not_yet_valid"
        assert "clocks" in refusal.detail


def test_what_is_refused_for_its_time_can_be_found_by_its_id() -> None:
    refusal = refusal_of(signed_claims(KEY, exp=1, jti="the-id"))
    assert refusal.token_id == "the-id"


@pytest.mark.parametrize(
    ("source", "office"),
    [
        ("/website/0077", "0077"),
        ("/website/0077", "0042"),
        ("/website/0042", "0077"),
        ("/king-billing", "0042"),
        ("/website/0042", None),
        ("/website/0042/x", "0042"),
    ],
)
def test_an_office_emits_nothing_but_its_own_websites_events(
    source: str, office: str | None
) -> None:
    caller = Caller("website", frozenset({"events:emit"}), "0042")
    caller.require_own_website("/website/0042", "0042")
    with pytest.raises(Forbidden, match="0042"):
        caller.require_own_website(source, office)
    Caller("king", frozenset({"events:emit"})).require_own_website(source, office)


def test_nobody_is_of_an_office_without_a_name() -> None:
    with pytest.raises(ValueError, match="office"):
        Caller("anna", frozenset(), "")


def test_roles_and_the_scopes_of_king_are_made_of_scopes_there_are() -> None:
    every_scope = scopes(Settings()).keys()
    assert every_scope >= KINGS_ALONE
    assert every_scope >= INCLUDED.keys() | frozenset().union(*INCLUDED.values())
    for role in STAFF_ROLES.values():
        assert every_scope >= role.scopes
        assert role.all_offices or not role.scopes & KINGS_ALONE


def test_whoever_sends_credentials_may_correct_where_they_go() -> None:
    assert allows({"users:activate"}, "contacts:amend")
    assert not allows({"contacts:amend"}, "users:activate")
