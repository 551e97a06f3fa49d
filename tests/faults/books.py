"""What the services' databases say while a test runs, even while some cannot be reached."""

from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from infra.composition import service_names
from shared.host.settings import Settings
from shared.persistence.database import Database

LAST = "order.confirmation_sent.v1"
"""The last event of a sign-up until its payer has to sign; activation hears it."""


class Books:
    """Reads all the databases of a stage, by ways that the fault does not touch."""

    def __init__(self, settings: Settings) -> None:
        self._databases = {
            name: Database(settings.database_url_of(name)) for name in service_names()
        }
        self._arrived = 0

    def close(self) -> None:
        """Give the connections back."""
        for database in self._databases.values():
            database.close()

    def rows(self, service: str, statement: str, **values: Any) -> list[Any]:
        """The rows of a query on one service's database; none while it cannot be reached."""
        try:
            with self._databases[service].read() as session:
                return list(session.execute(text(statement), values))
        except (SQLAlchemyError, psycopg.Error):
            return []

    def arrived(self) -> int:
        """How many sign-ups have gone all the way."""
        query = "SELECT count(*) FROM inbox WHERE type = :last AND status = 'done'"
        found = self.rows("activation", query, last=LAST)
        if found:
            self._arrived = int(found[0][0])
        return self._arrived  # As far as is known: the database may be away.

    def has_arrived(self, onboarding_id: str) -> bool:
        """Whether this sign-up has gone all the way."""
        query = "SELECT 1 FROM inbox WHERE type = :last AND subject = :id AND status = 'done'"
        return bool(self.rows("activation", query, last=LAST, id=onboarding_id))
