"""Bearer tokens: who may do what, and for which office.

A token is a JWT (RFC 7519, HS256), signed with the first of the keys that all processes share and
good under any of them. It names one office, or says plainly that it is for all; one that says
neither, or both, is no token.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from shared.base.errors import Forbidden, NotFound
from shared.processing import Person
from shared.web.scopes import allows, refused_to_offices

ALGORITHM = "HS256"
AUDIENCE = "stappenplan"
MAX_NAME_CHARACTERS = 100
MAX_OFFICE_CHARACTERS = 35


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, as the token says, and from which address.

    `office` is the one they act for, None when they act for all; never empty.
    """

    name: str
    scopes: frozenset[str]
    office: str | None = None
    address: str = ""

    def __post_init__(self) -> None:
        if self.office == "":
            raise ValueError("a caller acts for an office by its code, or for all: None")

    @property
    def person(self) -> Person:
        """Who it is, for the record of acts."""
        return Person(self.name, self.office, self.address)

    def require_scope(self, scope: str) -> None:
        """Refuse a caller without this scope, and an office what is KING's alone.

        Raises:
            Forbidden: they may not.
        """
        if not allows(self.scopes, scope):
            raise Forbidden("scope_missing", f"This needs a token with the scope {scope}.")
        if self.office is not None and refused_to_offices([scope]):
            raise Forbidden(
                "not_for_offices", f"The scope {scope} is KING's alone; no office may use it."
            )

    def may_see(self, office: str | None) -> bool:
        """Whether data of this office is the caller's to see."""
        return self.office is None or self.office == office

    def require_office(self, office: str | None) -> None:
        """Hide another office's data as if it were not there.

        Raises:
            NotFound: it belongs to another office.
        """
        if not self.may_see(office):
            raise not_there()

    def require_own_website(self, source: str, office: object) -> None:
        """Let an office say only what its own website says, as its own website.

        `source` is whose event it says it is, `office` the code that stands in its data. Other
        events than a website's have no such source, and are not an office's to say.

        Raises:
            Forbidden: it is another's.
        """
        if self.office is None:
            return
        if office != self.office or source != f"/website/{self.office}":
            raise Forbidden(
                "wrong_office",
                f"This token emits events of /website/{self.office} for office {self.office} "
                "alone.",
            )


def not_there() -> NotFound:
    """What is answered for what is not there and for what is another office's, alike."""
    return NotFound("not_found", "There is nothing here by that name.")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token grants: to whom, for which office (None: for all), from when, until when."""

    id: str
    name: str
    scopes: frozenset[str]
    office: str | None
    made_at: datetime
    expires_at: datetime

    def caller(self, address: str = "") -> Caller:
        """Whoever calls with it, from this address."""
        return Caller(self.name, self.scopes, self.office, address)


def make_grant(
    scopes: Sequence[str],
    *,
    known: Collection[str],
    name: str = "staff",
    office: str | None = None,
    all_offices: bool = False,
    days: int = 30,
    now: datetime | None = None,
) -> Grant:
    """A grant of some of the `known` scopes, for one office or for all, for so many `days`.

    `now` is the time of those who will judge it, which need not be this machine's.

    Raises:
        ValueError: a scope is unknown or KING's alone, neither or both of `office` and
            `all_offices` are given, the name cannot be shown, the days are not 1 to 3650.
    """
    unknown = sorted(set(scopes) - set(known))
    if unknown or not scopes:
        raise ValueError(f"unknown scope {', '.join(unknown)}; known: {', '.join(known)}")
    if (office is None) is not all_offices:
        raise ValueError("a token is for one office or for all: say which office, or all offices")
    if office is not None:
        _require_for_office(office, scopes)
    if not (name.strip() and name.isprintable() and len(name) <= MAX_NAME_CHARACTERS):
        raise ValueError(f"a name has 1 to {MAX_NAME_CHARACTERS} characters that can be shown")
    if not 1 <= days <= 3650:
        raise ValueError("a token is valid for 1 to 3650 days")
    now = now or datetime.now(UTC)
    # A token tells its end in whole seconds; when it was made is what a list is sorted by.
    end = (now + timedelta(days=days)).replace(microsecond=0)
    return Grant(str(uuid4()), name, frozenset(scopes), office, made_at=now, expires_at=end)


def _require_for_office(office: str, scopes: Sequence[str]) -> None:
    if not is_office(office):
        raise ValueError("the code of an office has 1 to 35 characters that can be shown")
    if kings := refused_to_offices(scopes):
        raise ValueError(
            f"{', '.join(kings)}: KING's alone; make that token for all offices, or leave it out"
        )


def sign(key: str, grant: Grant) -> str:
    """The bearer token of a grant."""
    # With its cryptography it takes long to import; the first who calls waits for it.
    import jwt

    office = {"all_offices": True} if grant.office is None else {"office": grant.office}
    claims = {
        "aud": AUDIENCE,
        "jti": grant.id,
        "sub": grant.name,
        "scope": " ".join(sorted(grant.scopes)),
        "iat": grant.made_at,
        "exp": grant.expires_at,
        **office,
    }
    return jwt.encode(claims, key, algorithm=ALGORITHM)


def issue_token(
    key: str,
    scopes: Sequence[str],
    *,
    known: Collection[str],
    name: str = "staff",
    office: str | None = None,
    all_offices: bool = False,
    days: int = 30,
) -> str:
    """Sign a token that is on no list: for a process that makes its own, and drops it soon.

    Raises:
        ValueError: what it should grant makes no sense; see `make_grant`.
    """
    return sign(
        key,
        make_grant(
            scopes, known=known, name=name, office=office, all_offices=all_offices, days=days
        ),
    )


def is_office(code: object) -> bool:
    """Whether this can be the code of an office."""
    return (
        isinstance(code, str)
        and bool(code.strip())
        and code.isprintable()
        and len(code) <= MAX_OFFICE_CHARACTERS
    )
