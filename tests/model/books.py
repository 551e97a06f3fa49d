"""What one service's database holds, as the model reads it."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import inspect, select

from shared.persistence.database import Database
from shared.processing.store.tables import DEAD, DONE, WAITING, Inbox, Outbox
from tests.model.chain import Customer

CUSTOMER, INBOX, OUTBOX = (inspect(model).local_table for model in (Customer, Inbox, Outbox))


@dataclass
class Books:
    """What one service's database holds."""

    effects: Counter[str]
    reminders: dict[str, int]
    inbox: dict[str, Any]
    outbox: dict[str, Any]

    @property
    def done(self) -> set[str]:
        """The ids of the messages that are done."""
        return {row.id for row in self.inbox.values() if row.status == DONE}

    @property
    def dead(self) -> list[str]:
        """The ids of the dead letters."""
        return sorted(row.id for row in self.inbox.values() if row.status == DEAD)

    @property
    def published(self) -> bool:
        """Whether anything is marked as published."""
        return any(row.published_at for row in self.outbox.values())

    @property
    def at_rest(self) -> bool:
        """Whether nothing waits, nothing is dead and nothing is unpublished."""
        open_still = any(row.status in (WAITING, DEAD) for row in self.inbox.values())
        return not open_still and all(row.published_at for row in self.outbox.values())


def read(database: Database) -> Books:
    """Read everything, in one transaction."""
    with database.read() as session:
        customers = session.execute(select(CUSTOMER)).all()
        inbox = {row.id: row for row in session.execute(select(INBOX)).all()}
        outbox = {row.id: row for row in session.execute(select(OUTBOX)).all()}
    return Books(
        Counter(word for customer in customers for word in customer.effects.split()),
        {customer.onboarding_id: customer.reminders for customer in customers},
        inbox,
        outbox,
    )
