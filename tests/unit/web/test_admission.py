"""Whoever is refused is in the log, by the token's id and the reason; the token itself never is."""

from collections.abc import Mapping, MutableMapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from shared.base.errors import Forbidden
from shared.web.admission import MOST_KNOWN, Admission
from shared.web.auth import Grant
from shared.web.token_reading import RefusedToken, verified_claims
from shared.web.token_watch import TokenWatch
from tests.scopes import signed_claims, token_for

KEY = "k" * 32
TOKEN_ID = "11111111-aaaa-4aaa-8aaa-000000000001"


class Watch(TokenWatch):
    """Knows of a token what the test says."""

    revoked = False

    def __init__(self) -> None:
        super().__init__([])

    def check(self, grant: Grant) -> None:
        if self.revoked:
            raise RefusedToken("token_revoked", "This token was ended.", grant.id)


class Clock:
    """Seconds, as the test says."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def lines_of(
    admission: Admission, token: str | None, scope: str = "orders:read"
) -> list[MutableMapping[str, Any]]:
    """What is logged when this token is shown, and refused."""
    with capture_logs() as lines, pytest.raises((RefusedToken, Forbidden)):
        admission.admit(token, scope, "192.0.2.7")
    return lines


@pytest.mark.parametrize(
    ("token", "reason", "token_id"),
    [
        (None, "token_missing", None),
        ("not.a.token", "token_invalid", None),
        (signed_claims("o" * 32), "token_invalid", None),
        (signed_claims(KEY, exp=1), "token_expired", TOKEN_ID),
        (signed_claims(KEY, "all_offices"), "token_without_office", TOKEN_ID),
    ],
)
def test_a_refused_token_is_logged_by_its_id(
    token: str | None, reason: str, token_id: str | None
) -> None:
    (line,) = lines_of(Admission(KEY), token)
    assert (line["event"], line["reason"], line["token_id"]) == ("token_refused", reason, token_id)
    assert token is None or token not in str(line)


def test_a_refused_scope_is_logged_by_the_tokens_id() -> None:
    (line,) = lines_of(Admission(KEY), signed_claims(KEY), "users:activate")
    assert (line["event"], line["reason"]) == ("scope_refused", "scope_missing")
    assert (line["scope"], line["token_id"]) == ("users:activate", TOKEN_ID)


def test_a_flood_of_refusals_is_a_line_a_second() -> None:
    # Given somebody who is refused a thousand times within a second,
    clock = Clock()
    admission = Admission(KEY, seconds=clock)
    lines = [line for _ in range(1000) for line in lines_of(admission, "not.a.token")]
    assert len(lines) == 1
    # When a second has passed, Then the next line says how many there were.
    clock.now += 1.0
    (line,) = lines_of(admission, "not.a.token")
    assert line["unlogged_before"] == 999


def test_whoever_may_is_let_in_without_a_line() -> None:
    with capture_logs() as lines:
        caller = Admission((KEY,)).admit(token_for(KEY, "orders:read"), "orders:read", "192.0.2.7")
    assert (caller.name, caller.office, caller.address) == ("tester", None, "192.0.2.7")
    assert lines == []


def test_the_signature_of_one_token_is_verified_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given somebody who shows the same token with each request,
    verified: list[str] = []

    def verifying(keys: Sequence[str], token: str) -> Mapping[str, Any]:
        verified.append(token)
        return verified_claims(keys, token)

    monkeypatch.setattr("shared.web.admission.verified_claims", verifying)
    admission, token = Admission(KEY), token_for(KEY, "orders:read")
    # When they call again and again, and somebody else once,
    for _ in range(50):
        admission.admit(token, "orders:read", "192.0.2.7")
    admission.admit(other := token_for(KEY, "orders:read", name="anna"), "orders:read", "")
    # Then each of the two tokens was verified once.
    assert verified == [token, other]
    assert admission.knows(token)


def test_a_token_that_is_known_ends_when_its_time_is_up() -> None:
    # Given a token that was good,
    time = datetime.now(UTC)
    admission = Admission(KEY, clock=lambda: time)
    token = token_for(KEY, "orders:read")
    admission.admit(token, "orders:read", "192.0.2.7")
    # When it is shown years later,
    time += timedelta(days=3650)
    # Then it is refused, although its signature is as good as ever.
    (line,) = lines_of(admission, token)
    assert line["reason"] == "token_expired"


def test_a_token_that_is_known_ends_when_it_is_revoked() -> None:
    watch = Watch()
    admission = Admission(KEY, watch)
    token = token_for(KEY, "orders:read")
    admission.admit(token, "orders:read", "192.0.2.7")
    watch.revoked = True
    (line,) = lines_of(admission, token)
    assert line["reason"] == "token_revoked"


def test_a_refused_token_is_not_known() -> None:
    # Given somebody who tries tokens that nobody has signed, beside very many who are let in,
    admission = Admission(KEY)
    lines_of(admission, forged := signed_claims("o" * 32))
    tokens = [token_for(KEY, "orders:read", name=f"n{n}") for n in range(MOST_KNOWN + 1)]
    for token in tokens:
        admission.admit(token, "orders:read", "")
    # Then none of them is kept, and of the others no more than a bounded number.
    assert not admission.knows(forged)
    assert 0 < sum(map(admission.knows, tokens)) <= MOST_KNOWN
