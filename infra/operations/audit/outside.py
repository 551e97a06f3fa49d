"""What came from outside, and what waits in the services that is no event of theirs."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import col

from infra.operations.audit.books import Beside, Ledgers, Pair
from shared.events import EVENTS
from shared.host.counting import count
from shared.persistence.database import Database
from shared.processing.store.tables import DEAD, DONE, DROPPED, WAITING, Inbox

FIELDS = {DONE: "arrived", WAITING: "retried", DEAD: "dead", DROPPED: "dropped"}


def outside_pairs(ledgers: Ledgers, since: datetime | None) -> Iterator[Pair]:
    """The events of speakers who are no services: what came of them is all that is known."""
    for hearer, (service, database) in ledgers.items():
        for event in service.hears:
            speaker = EVENTS[event].said_by
            if speaker not in ledgers:
                yield _count_received(Pair(event, speaker, hearer), database, since)


def _count_received(pair: Pair, database: Database, since: datetime | None) -> Pair:
    query = select(col(Inbox.status), func.count()).where(col(Inbox.type) == pair.event)
    if since is not None:
        query = query.where(col(Inbox.received_at) >= since)
    with database.read() as session:
        for status, number in session.execute(query.group_by(col(Inbox.status))):
            setattr(pair, FIELDS[status], number)
            pair.said += number
    return pair


def beside(ledgers: Ledgers) -> dict[str, Beside]:
    """What else waits in each service, and how many dead letters it has of any kind."""
    found = {}
    for name, (service, database) in ledgers.items():
        own = col(Inbox.type).not_in(service.hears)
        timers = select(func.count()).where(col(Inbox.status) == WAITING, own)
        with database.read() as session:
            depths = count(session)
            number = int(session.execute(timers.select_from(Inbox)).scalar_one())
        mails = depths.notifications
        found[name] = Beside(number, mails["waiting"], mails["failed"], depths.inbox["dead"])
    return found
