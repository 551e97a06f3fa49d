"""Bearer tokens: who may do what, and for which office.

A token is a JWT signed with the one key that all processes share (RFC 7519, HS256). A token
without an office belongs to KING and sees every office; one with an office sees only its own.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.base.errors import Forbidden, NotFound, Unauthorized
from shared.processing import Person

ALGORITHM = "HS256"
AUDIENCE = "stappenplan"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, as the token says, and from which address."""

    name: str
    scopes: frozenset[str]
    office: str | None = None
    address: str = ""

    @property
    def person(self) -> Person:
        """Who it is, for the record of acts."""
        return Person(self.name, self.office, self.address)

    def require_scope(self, scope: str) -> None:
        """Refuse a caller without this scope.

        Raises:
            Forbidden: the token does not carry it.
        """
        if scope not in self.scopes:
            raise Forbidden("scope_missing", f"This needs a token with the scope {scope}.")

    def may_see(self, office: str | None) -> bool:
        """Whether data of this office is the caller's to see."""
        return self.office is None or self.office == office

    def require_office(self, office: str | None) -> None:
        """Hide another office's data as if it were not there.

        Raises:
            NotFound: it belongs to another office.
        """
        if not self.may_see(office):
            raise NotFound("not_found", "There is nothing here by that name.")


def issue_token(
    key: str,
    scopes: Sequence[str],
    *,
    known: Collection[str],
    name: str = "staff",
    office: str | None = None,
    days: int = 30,
) -> str:
    """Sign a token for some of the `known` scopes, valid for so many `days`.

    Raises:
        ValueError: a scope is unknown, or the number of days is not 1 to 3650.
    """
    unknown = sorted(set(scopes) - set(known))
    if unknown or not scopes:
        raise ValueError(f"unknown scope {', '.join(unknown)}; known: {', '.join(known)}")
    if not 1 <= days <= 3650:
        raise ValueError("a token is valid for 1 to 3650 days")
    now = datetime.now(UTC)
    claims: dict[str, object] = {
        "aud": AUDIENCE,
        "sub": name,
        "scope": " ".join(sorted(set(scopes))),
        "iat": now,
        "exp": now + timedelta(days=days),
    }
    if office:
        claims["office"] = office
    import jwt

    return jwt.encode(claims, key, algorithm=ALGORITHM)


def read_token(key: str, token: str) -> Caller:
    """The caller behind a token.

    Raises:
        Unauthorized: it is not ours, was changed, or has expired.
    """
    # With its cryptography it takes long to import; the first who calls waits for it.
    import jwt

    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            options={"require": ["exp", "sub", "scope"]},
        )
    except jwt.ExpiredSignatureError:
        raise Unauthorized("token_expired", "This token has expired; ask for a new one.") from None
    except jwt.InvalidTokenError:
        raise Unauthorized("token_invalid", "This token is not valid here.") from None
    office = claims.get("office")
    return Caller(
        name=str(claims["sub"])[:100],
        scopes=frozenset(str(claims["scope"]).split()),
        office=str(office) if office else None,
    )
