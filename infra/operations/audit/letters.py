"""What has come to one service and has not had its effect: waiting, dead, or given up by a person.

It is read whole: memory grows with what is unfinished, and not with what has arrived.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from pydantic_core import from_json
from sqlalchemy import Row, or_, select
from sqlmodel import Session, col

from shared.messaging.bus import EXCHANGE
from shared.processing.dead_letters import REJECTED
from shared.processing.store.tables import DEAD, DROPPED, WAITING, Decision, Inbox

UNFINISHED = (DEAD, DROPPED, WAITING)
"""What is unfinished, the weightiest first."""

COLUMNS = (
    col(Inbox.id),
    col(Inbox.subject),
    col(Inbox.status),
    col(Inbox.exchange),
    # Of what was refused alone: its id and its customer stand nowhere else.
    col(Inbox.properties),
    col(Inbox.body),
)
DROP = "drop"


@dataclass
class Letters:
    """`refused` tells what became of an event, by its id, that was not taken under it.

    `about` tells of a customer what is unfinished of their events: the weightiest of it.
    """

    refused: dict[str, str] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)


def read_letters(
    session: Session, hears: Collection[str], since: datetime | None = None
) -> Letters:
    """All of a service's that are events it hears; commands and timers are nobody else's.

    With `since` only what came since then, found by an index: timers may be very many.
    """
    events = or_(col(Inbox.type).in_(hears), col(Inbox.id).startswith(REJECTED))
    dropped = select(*COLUMNS).join(Decision, col(Decision.letter_id) == col(Inbox.id))
    queries = [dropped.where(col(Decision.verdict) == DROP, col(Inbox.status) == DROPPED, events)]
    if since is not None:
        unfinished = col(Inbox.status).in_([WAITING, DEAD])
        queries.append(select(*COLUMNS).where(col(Inbox.received_at) >= since, unfinished, events))
    else:
        # Each by the index of its own.
        each = [select(*COLUMNS).where(col(Inbox.status) == it) for it in (WAITING, DEAD)]
        queries += [query.where(events) for query in each]
    letters = Letters()
    for query in queries:
        for row in session.execute(query.execution_options(yield_per=500)):
            _take(letters, row)
    return letters


def heavier(about: Mapping[str, str], subject: str, status: str) -> bool:
    """Whether this weighs more than what is known of the customer."""
    present = about.get(subject)
    return present is None or UNFINISHED.index(status) < UNFINISHED.index(present)


def _take(letters: Letters, row: Row[tuple[str, str | None, str, str | None, str, bytes]]) -> None:
    subject = row.subject
    if row.id.startswith(REJECTED):
        if row.exchange not in (EXCHANGE, "", None):
            return  # A stranger may name any event, and shall not hide that it was lost.
        event_id, subject = _named_in(row.body or b"", row.properties)
        if event_id is not None:
            letters.refused[event_id] = row.status
    if subject is not None and heavier(letters.about, subject, row.status):
        letters.about[subject] = row.status


def _named_in(body: bytes, properties: str | None) -> tuple[str | None, str | None]:
    """The id and the customer of a message that was refused, as far as they can be read."""
    event_id: str | None = json.loads(properties or "{}").get("message_id")
    try:
        document = from_json(body)
        return event_id or str(UUID(document["id"])), str(UUID(document["subject"]))
    except (ValueError, TypeError, KeyError, AttributeError):
        return event_id, None


def corrected_ids(session: Session) -> Iterator[str]:
    """The ids of events that a person put in the place of others: nobody said them."""
    corrections = select(col(Decision.correction)).where(col(Decision.correction).is_not(None))
    for correction in session.execute(corrections).scalars():
        event_id, _ = _named_in(correction or b"", None)
        if event_id is not None:
            yield event_id
