"""The offices for which the broker is set up: those in signup's database."""

from pathlib import Path

from sqlmodel import col, select

from infra.composition import build_service
from services.signup.models import Office
from shared.host.settings import Settings
from shared.persistence.database import Database
from shared.persistence.schema import is_current


def known_offices(settings: Settings) -> list[str]:
    """The codes of the offices in signup's database; none while it has no current schema."""
    return offices_in_database(settings) or []


def offices_in_database(settings: Settings) -> list[str] | None:
    """The codes of the offices; None while signup's database is not there, or not current.

    To look must not make it: an empty file where there was none would pass for a database.
    """
    url = settings.database_url_of("signup")
    if url.startswith("sqlite") and not Path(url.removeprefix("sqlite:///")).exists():
        return None
    database = Database(url)
    try:
        if not database.answers() or not is_current(
            database, build_service("signup", settings).migrations
        ):
            return None
        with database.read() as session:
            return list(
                session.execute(select(col(Office.code)).order_by(col(Office.code))).scalars()
            )
    finally:
        database.close()
