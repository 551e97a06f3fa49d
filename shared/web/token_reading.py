"""What a bearer token says, once its signature, its time and all its claims were found good."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from shared.base.errors import Unauthorized
from shared.web.auth import ALGORITHM, AUDIENCE, MAX_NAME_CHARACTERS, Grant, is_office

LEEWAY_SECONDS = 60
"""How far the clocks of two machines may be apart."""

MAX_ID_CHARACTERS = 36


def read_token(keys: str | Sequence[str], token: str) -> Grant:
    """What a token grants, signed with any of the keys.

    Raises:
        Unauthorized: it is not ours, was changed, is not valid now, or does not say all it must.
            Its `token_id` names the token where its signature was good.
    """
    claims = _verified_claims([keys] if isinstance(keys, str) else keys, token)
    token_id = claims.get("jti")
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


def _verified_claims(keys: Sequence[str], token: str) -> Mapping[str, Any]:
    """The claims of a token that is signed with one of the keys, and valid now."""
    import jwt

    for key in keys:
        try:
            return _decode(key, token)
        except jwt.InvalidSignatureError:
            continue  # Another key may have signed it.
        except jwt.ExpiredSignatureError:
            code, sentence = "token_expired", "This token has expired; ask for a new one."
        except jwt.ImmatureSignatureError:
            code = "token_not_yet_valid"
            sentence = "This token is not valid yet; set the clocks of both machines right."
        except jwt.InvalidTokenError:
            break
        raise RefusedToken(code, sentence, _id_in(token))
    raise _invalid()


def _decode(key: str, token: str) -> Mapping[str, Any]:
    # With its cryptography it takes long to import; the first who calls waits for it.
    import jwt

    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=[ALGORITHM],
        audience=AUDIENCE,
        leeway=LEEWAY_SECONDS,
        options={"require": ["exp", "sub", "scope"]},
    )
    return claims


def _id_in(token: str) -> str | None:
    """The id of a token whose signature was good, though its time is not."""
    import jwt

    token_id = jwt.decode(token, options={"verify_signature": False}).get("jti")
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
