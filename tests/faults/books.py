"""What the services' databases and queues hold, compared with what was submitted."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from infra.composition import service_names
from shared.database import Database
from shared.events import EVENTS
from shared.settings import Settings

SAYS = (
    ("signup", "signup.accepted.v1"),
    ("registration", "registration.completed.v1"),
    ("registration", "administration.created.v1"),
    ("billing", "order.confirmation_sent.v1"),
)
"""What is said of every sign-up until its payer has to sign."""
MAILS = (
    ("signup", "signup_received"),
    ("signup", "signup_received_office"),
    ("billing", "order_confirmation"),
    ("billing", "order_confirmation_copy"),
)
"""What is sent for every sign-up until then."""
LAST = "order.confirmation_sent.v1"


@dataclass(frozen=True)
class Balance:
    """The outcome: `lost` and `doubled` name effects, the others count what is not at rest."""

    submitted: int
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    waiting: int = 0
    dead: int = 0

    @property
    def clean(self) -> bool:
        """Whether every sign-up has had every effect, once, and nothing is left over."""
        return not (self.lost or self.doubled or self.waiting or self.dead)

    def without_the_dead(self) -> "Balance":
        """The same, for a test in which some must be dead, and has seen that they are."""
        return replace(self, dead=0)

    @property
    def at_rest(self) -> bool:
        """Whether nothing is on its way any more."""
        return not (self.lost or self.waiting)


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

    def balance(self, submitted: Sequence[str]) -> Balance:
        """Compare what was submitted with every effect that it must have had."""
        effects = self._effects()
        expected = {(*what, one) for one in submitted for what in (*SAYS, *MAILS, *HEARD)}
        lost = sorted(" ".join(one) for one in expected - effects.keys())
        doubled = sorted(" ".join(one) for one, times in effects.items() if times > 1)
        return Balance(
            len(submitted), lost, doubled, self._waiting(), self._count("inbox", "status = 'dead'")
        )

    def _effects(self) -> "Counter[tuple[str, str, str]]":
        found: Counter[tuple[str, str, str]] = Counter()
        for name in self._databases:
            for table, kind, subject, condition in EFFECTS:
                query = f"SELECT {kind}, {subject} FROM {table} WHERE {condition}"
                found.update((name, *row) for row in self.rows(name, query))
        return found

    def _waiting(self) -> int:
        events = ", ".join(f"'{one}'" for one in EVENTS)
        return (
            self._count("outbox", "published_at IS NULL")
            + self._count("notification", "status = 'waiting'")
            + self._count("inbox", f"status = 'waiting' AND type IN ({events})")
        )

    def _count(self, table: str, condition: str) -> int:
        query = f"SELECT count(*) FROM {table} WHERE {condition}"
        return sum(int(row[0]) for name in self._databases for row in self.rows(name, query))


EFFECTS = (
    ("outbox", "type", "subject", "published_at IS NOT NULL"),
    ("notification", "kind", "onboarding_id", "status = 'sent'"),
    ("inbox", "'heard ' || type", "subject", "status = 'done' AND subject IS NOT NULL"),
)
"""Where an effect is to be found: its table, its name, whose it is, and when it counts."""
HEARD = (
    ("signup", "heard signup.submitted.v1"),
    ("registration", "heard signup.accepted.v1"),
    ("billing", "heard registration.completed.v1"),
    ("activation", "heard signup.accepted.v1"),
    ("activation", "heard registration.completed.v1"),
    ("activation", "heard administration.created.v1"),
    ("activation", "heard order.confirmation_sent.v1"),
)
"""Who must have dealt with which event of every sign-up."""
