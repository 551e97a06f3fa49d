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
        return {one.id for one in self.inbox.values() if one.status == DONE}

    @property
    def dead(self) -> list[str]:
        """The ids of the dead letters."""
        return sorted(one.id for one in self.inbox.values() if one.status == DEAD)

    @property
    def published(self) -> bool:
        """Whether anything is marked as published."""
        return any(one.published_at for one in self.outbox.values())

    @property
    def at_rest(self) -> bool:
        """Whether nothing waits, nothing is dead and nothing is unpublished."""
        open_still = any(one.status in (WAITING, DEAD) for one in self.inbox.values())
        return not open_still and all(one.published_at for one in self.outbox.values())


def read(database: Database) -> Books:
    """Read everything, in one transaction."""
    with database.read() as session:
        customers = session.execute(select(CUSTOMER)).all()
        inbox = {one.id: one for one in session.execute(select(INBOX)).all()}
        outbox = {one.id: one for one in session.execute(select(OUTBOX)).all()}
    return Books(
        Counter(word for one in customers for word in one.effects.split()),
        {one.onboarding_id: one.reminders for one in customers},
        inbox,
        outbox,
    )
