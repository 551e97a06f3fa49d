"""The bearer tokens that were made, in every service's own database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from shared.base.errors import StappenplanError
from shared.host.settings import Settings
from shared.persistence.clock import database_now
from shared.persistence.database import Database
from shared.processing import Person
from shared.processing.store import acts, tokens
from shared.processing.store.tables import Token
from shared.web.auth import Grant


@dataclass(frozen=True)
class ListedToken:
    """A token that was made, as all databases together know it; `office` is None for all."""

    id: str
    name: str
    scopes: Sequence[str]
    office: str | None
    all_offices: bool
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None

    @classmethod
    def of(cls, rows: Sequence[Token]) -> "ListedToken":
        """One token by its rows: ended when one of them says so, used when the last of them was."""
        first = rows[0]
        return cls(
            id=first.id,
            name=first.name,
            scopes=first.scopes.split(),
            office=first.office,
            all_offices=first.office is None,
            made_at=first.made_at,
            expires_at=first.expires_at,
            revoked_at=min((row.revoked_at for row in rows if row.revoked_at), default=None),
            last_used_at=max((row.last_used_at for row in rows if row.last_used_at), default=None),
        )

    def state(self, now: datetime) -> str:
        """What it is worth now, in a word."""
        if self.revoked_at is not None:
            return "ended"
        return "valid" if now < self.expires_at else "expired"


def office_exists(databases: Mapping[str, Database], settings: Settings, code: str) -> bool:
    """Whether there is such an office; the example one comes with the embedded default."""
    from services.signup.models import Office
    from services.signup.service import EXAMPLE

    if settings.embedded and code == EXAMPLE.code:
        return True
    with databases["signup"].read() as session:
        return session.get(Office, code) is not None


def require_office(databases: Mapping[str, Database], settings: Settings, code: str) -> None:
    """Let nobody act for an office that is not there.

    Raises:
        ValueError: there is none of this code; the text says what to do.
    """
    if not office_exists(databases, settings, code):
        raise ValueError(
            f"there is no office {code!r}: `stappenplan office list` shows those there are, "
            "`stappenplan office add` adds one"
        )


def time_of(databases: Mapping[str, Database]) -> datetime:
    """The time by which tokens are judged: the databases', not that of whoever makes them.

    Raises:
        SQLAlchemyError: the first of them is away.
    """
    return database_now(next(iter(databases.values())))


def record(databases: Mapping[str, Database], grant: Grant, by: Person) -> None:
    """Write a token into every service's database, with the act of whoever made it.

    Raises:
        SQLAlchemyError: one of them is away; the token should not be handed out.
    """
    for database in databases.values():
        with database.begin() as session:
            session.add(_row(grant))
            details = {"scopes": sorted(grant.scopes), "office": grant.office}
            acts.record(session, by, "token.create", grant.id, grant.made_at, details)


def revoke(databases: Mapping[str, Database], token_id: str, by: Person) -> bool:
    """End a token in every database; returns whether one of them knows it.

    One that lacks it, since it was made anew or brought back from a copy, is told of it too.

    Raises:
        StappenplanError: some databases are away; the others know that it is ended.
    """
    rows, away = _rows_of(databases, token_id)
    token = ListedToken.of(rows) if rows else None
    for name, database in databases.items():
        if token is None or name in away:
            continue
        try:
            now = database_now(database)
            with database.begin() as session:
                _revoke(session, token, by, now)
        except SQLAlchemyError:
            away.append(name)
    if away:
        raise StappenplanError(
            f"the database of {', '.join(away)} does not answer: there the token may still be "
            "good; revoke it again when it does"
        )
    return token is not None


def _rows_of(databases: Mapping[str, Database], token_id: str) -> tuple[list[Token], list[str]]:
    """What the databases say of one token, and the names of those that do not answer."""
    rows, away = [], []
    for name, database in databases.items():
        try:
            with database.read() as session:
                row = session.get(Token, token_id)
        except SQLAlchemyError:
            away.append(name)
        else:
            rows += [row] if row is not None else []
    return rows, away


def find(databases: Mapping[str, Database]) -> list[ListedToken]:
    """Every token that was made, the earliest first."""
    rows: dict[str, list[Token]] = {}
    for database in databases.values():
        with database.read() as session:
            for row in tokens.listed(session):
                rows.setdefault(row.id, []).append(row)
    return sorted(
        (ListedToken.of(together) for together in rows.values()),
        key=lambda token: (token.made_at, token.id),
    )


def _row(token: Grant | ListedToken) -> Token:
    return Token(
        id=token.id,
        name=token.name,
        scopes=" ".join(sorted(token.scopes)),
        office=token.office,
        made_at=token.made_at,
        expires_at=token.expires_at,
    )


def _revoke(session: Session, token: ListedToken, by: Person, now: datetime) -> None:
    if session.get(Token, token.id) is None:
        session.add(_row(token))
        session.flush()
    if tokens.revoke(session, token.id, by.name, now):
        acts.record(session, by, "token.revoke", token.id, now)
