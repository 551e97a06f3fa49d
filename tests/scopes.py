"""What a token may allow, and tokens, for tests that call as somebody who may do anything."""

from typing import Any

import jwt

from infra.composition import scopes
from shared.host.settings import Settings
from shared.web.auth import ALGORITHM, AUDIENCE, issue_token
from shared.web.scopes import KINGS_ALONE

SCOPES = scopes(Settings())
FAR_FUTURE = 4102444800


def token_for(
    key: str,
    *asked: str,
    office: str | None = None,
    name: str = "tester",
    days: int = 1,
) -> str:
    """A token for these scopes, or for all there may be; for all offices unless one is named."""
    every = [scope for scope in SCOPES if office is None or scope not in KINGS_ALONE]
    return issue_token(
        key,
        asked or every,
        known=SCOPES,
        name=name,
        office=office,
        all_offices=office is None,
        days=days,
    )


def signed_claims(key: str, *left_out: str, **changes: Any) -> str:
    """A token as nobody would be given one: a good one's claims, some changed, some left out."""
    claims = {
        "aud": AUDIENCE,
        "jti": "11111111-aaaa-4aaa-8aaa-000000000001",
        "sub": "anna",
        "scope": "orders:read",
        "exp": FAR_FUTURE,
        "all_offices": True,
    }
    claims |= changes
    kept = {name: value for name, value in claims.items() if name not in left_out}
    return jwt.encode(kept, key, ALGORITHM)
