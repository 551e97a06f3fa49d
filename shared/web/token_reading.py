"""What a bearer token says, once its signature, its time and all its claims were found good."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from shared.base.errors import Unauthorized
from shared.persistence.clock import utc_now
from shared.web.auth import ALGORITHM, AUDIENCE, MAX_NAME_CHARACTERS, Grant, is_office

LEEWAY_SECONDS = 60
"""How far the clocks of two machines may be apart."""

MAX_ID_CHARACTERS = 36


def read_token(keys: str | Sequence[str], token: str, now: datetime | None = None) -> Grant:
    """What a token grants, signed with any of the keys; `now` is the service's time.

    Raises:
        Unauthorized: it is not ours, was changed, is not valid now, or does not say all it must.
            Its `token_id` names the token where its signature was good.
    """
    return granted_by(verified_claims([keys] if isinstance(keys, str) else keys, token), now)


def granted_by(claims: Mapping[str, Any], now: datetime | None = None) -> Grant:
    """What the claims of a well-signed token grant; `now` is the service's time.

    Raises:
        Unauthorized: it is not valid now, or does not say all it must.
    """
    token_id = claims.get("jti")
    _require_valid_at(now or utc_now(), claims)
    if not (isinstance(token_id, str) and 1 <= len(token_id) <= MAX_ID_CHARACTERS):
        raise RefusedToken(
            "token_without_id",
            "This token was made by an earlier version and has no id; ask for a new one.",
        )
    name, scope = claims["sub"], claims["scope"]
    if not (isinstance(name, str) and name and isinstance(scope, str) and scope):
        raise _invalid(token_id)
    try:
        made_at, expires_at = _moment(claims.get("iat", 0)), _moment(claims["exp"])
    except (OverflowError, OSError, ValueError, TypeError):
        raise _invalid(token_id) from None
    return Grant(
        id=token_id,
        name=name[:MAX_NAME_CHARACTERS],
        scopes=frozenset(scope.split()),
        office=_office_in(claims, token_id),
        made_at=made_at,
        expires_at=expires_at,
    )


class RefusedToken(Unauthorized):
    """A token is of no use here; `token_id` names it where its signature was good."""

    def __init__(self, code: str, detail: str, token_id: str | None = None) -> None:
        super().__init__(code, detail)
        self.token_id = token_id


def _invalid(token_id: str | None = None) -> RefusedToken:
    return RefusedToken("token_invalid", "This token is not valid here.", token_id)


def verified_claims(keys: Sequence[str], token: str) -> Mapping[str, Any]:
    """The claims of a token that is signed with one of the keys, whether or not it is valid now.

    Raises:
        Unauthorized: none of them has signed it.
    """
    import jwt

    for key in keys:
        try:
            return _decode(key, token)
        except jwt.InvalidSignatureError:
            continue  # Another key may have signed it.
        except jwt.InvalidTokenError:
            break
    raise _invalid()


def _decode(key: str, token: str) -> Mapping[str, Any]:
    # With its cryptography it takes long to import; the first who calls waits for it.
    import jwt

    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=[ALGORITHM],
        audience=AUDIENCE,
        # Its time is judged by ours, not by that of this machine (`_require_valid_at`).
        options={
            "require": ["exp", "sub", "scope"],
            "verify_exp": False,
            "verify_iat": False,
            "verify_nbf": False,
        },
    )
    return claims


def _require_valid_at(now: datetime, claims: Mapping[str, Any]) -> None:
    """Refuse a token before its time and after it; the clock of who made it may be a minute off."""
    seconds, token_id = now.timestamp(), _short_id(claims)
    try:
        begins = max(float(claims.get(name, 0)) for name in ("iat", "nbf"))
        ends = float(claims["exp"])
    except (TypeError, ValueError):
        raise _invalid(token_id) from None
    if ends <= seconds - LEEWAY_SECONDS:
        raise RefusedToken("token_expired", "This token has expired; ask for a new one.", token_id)
    if begins > seconds + LEEWAY_SECONDS:
        raise RefusedToken(
            "token_not_yet_valid",
            "This token is not valid yet; set the clocks of both machines right.",
            token_id,
        )


def _short_id(claims: Mapping[str, Any]) -> str | None:
    token_id = claims.get("jti")
    return token_id[:MAX_ID_CHARACTERS] if isinstance(token_id, str) else None


def _moment(seconds: Any) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _office_in(claims: Mapping[str, Any], token_id: str) -> str | None:
    """The office that a token is for; None when it says that it is for all."""
    if "office" in claims and "all_offices" not in claims and is_office(claims["office"]):
        return str(claims["office"])
    if claims.get("all_offices") is True and "office" not in claims:
        return None
    raise RefusedToken(
        "token_without_office",
        "This token names neither one office nor all of them; ask for a new one.",
        token_id,
    )
