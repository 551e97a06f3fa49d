"""What a person decides about a dead letter: to retry it, perhaps corrected, or to drop it.

A decision is recorded with who, when and why, and what the letter had died of; of two people who
decide at once, one wins. A retried letter goes to the service that failed and to no other.

A letter that was refused (its id begins with `refused/`) takes its own id when it is retried. If
that id was used meanwhile, the letter is not run: this event has had its effect, or another one
has its id. Whoever retries is told so, and may give a correction with an id of its own.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import update
from sqlmodel import Session, col

from infra.dead_letters import NotDead, Row, recognise
from shared.database import Database
from shared.envelope import BINARY_PREFIXES, CONTENT_TYPE
from shared.errors import Malformed, StappenplanError
from shared.events import EVENTS
from shared.messaging.bus import Incoming
from shared.notifications.model import CANCELLED, FAILED, Notification
from shared.notifications.model import WAITING as UNSENT
from shared.processing import inbox
from shared.processing.messages import Delivery
from shared.processing.model import DEAD, DROPPED, WAITING, Decision, Inbox
from shared.processing.reading import Reader


class Unfit(StappenplanError):
    """The letter, or what somebody would put in its place, would only be refused again."""


@dataclass(frozen=True)
class Judgement:
    """One decision, before it is made: what it is, who makes it, and why."""

    verdict: str
    by: str
    why: str


def retry(
    database: Database,
    reader: Reader,
    letter_id: str,
    *,
    by: str,
    why: str,
    correction: bytes | None = None,
) -> str:
    """Give a dead letter back to the service that failed, and to no other, once.

    `correction` takes the place of its body: a whole event (a CloudEvents document, with its
    `specversion`), or what stood in the body of one whose attributes came as headers. The
    original is kept beside it. Returns the letter's whole id.

    Raises:
        NotDead: there is none by that id, somebody was first, or its own id was used meanwhile.
        Unfit: it would be refused again; nothing was changed.
    """
    judgement = Judgement("retry", by, why)
    with database.begin() as session:
        row = recognise(session, letter_id)
        renewed: dict[str, Any] = {"due_at": datetime.now(UTC), "attempts": 0, "error": None}
        if isinstance(row, Notification):
            if correction is not None:
                raise Unfit("a mail has no body to correct; retry it as it is, or drop it")
            return _decide(session, row, judgement, renewed | {"status": UNSENT})
        renewed |= {"status": WAITING, "deaths": 0}
        if correction is None:
            if row.status == DEAD and row.id.startswith(inbox.REFUSED):
                _judge(session, reader, row, inbox.incoming_of(row))
            return _decide(session, row, judgement, renewed)
        _insist_on_dead(session, row)
        incoming = _in_its_place(inbox.incoming_of(row), correction)
        delivery = _judge(session, reader, row, incoming)
        if not row.id.startswith(inbox.REFUSED):
            renewed["subject"] = delivery.envelope.subject
        return _decide(session, row, judgement, renewed | inbox.keepsake(incoming), delivery)


def drop(database: Database, letter_id: str, *, by: str, why: str) -> str:
    """Let a dead letter rest; it stays on record with the reason. Returns its whole id.

    Raises:
        NotDead: there is none by that id, or somebody was first.
    """
    with database.begin() as session:
        row = recognise(session, letter_id)
        status = DROPPED if isinstance(row, Inbox) else CANCELLED
        return _decide(session, row, Judgement("drop", by, why), {"status": status})


def _decide(
    session: Session,
    row: Row,
    judgement: Judgement,
    values: Mapping[str, Any],
    corrected: Delivery | None = None,
) -> str:
    """Compare and set: only the first of two people finds the row as it was."""
    now, by = datetime.now(UTC), judgement.by[:200]
    record = _record(row, judgement, now, corrected)
    table, dead = (Inbox, DEAD) if isinstance(row, Inbox) else (Notification, FAILED)
    decision = f"{judgement.verdict}: {judgement.why}"
    statement = (
        update(table)
        .where(col(table.id) == row.id, col(table.status) == dead)
        .values(**values, decision=decision, decided_by=by, decided_at=now)
        .returning(col(table.id))
        .execution_options(synchronize_session=False)
    )
    if session.execute(statement).first() is None:
        session.refresh(row)
        _insist_on_dead(session, row)
    session.add(record)
    return row.id


def _record(row: Row, judgement: Judgement, now: datetime, corrected: Delivery | None) -> Decision:
    record = Decision(
        id=str(uuid4()),
        letter_id=row.id,
        verdict=judgement.verdict,
        decided_by=judgement.by[:200],
        decided_at=now,
        why=judgement.why,
        error=row.error,
        attempts=row.attempts,
    )
    if corrected is not None and isinstance(row, Inbox):
        record.original, record.original_postage = row.body, row.postage
        record.correction = corrected.incoming.body
        record.correction_digest = corrected.envelope.digest()
    return record


def _insist_on_dead(session: Session, row: Row) -> None:
    if row.status in (DEAD, FAILED):
        return
    if row.decision is None:
        raise NotDead(f"{row.id} is not dead: it is {row.status}")
    raise NotDead(f"{row.id} is {row.status}: {row.decided_by} decided, {row.decision}")


def _in_its_place(incoming: Incoming, correction: bytes) -> Incoming:
    """The message with another body; a whole event brings its own attributes.

    Its routing key and its user stay: what the broker vouched for is not for a person to change.
    """
    try:
        document = json.loads(correction)
    except ValueError:
        document = None
    if not isinstance(document, dict) or "specversion" not in document:
        return replace(incoming, body=correction)
    headers = {k: v for k, v in incoming.headers.items() if not k.startswith(BINARY_PREFIXES)}
    return replace(
        incoming,
        body=correction,
        content_type=CONTENT_TYPE,
        headers=headers,
        message_id=None,
        type=None,
    )


def _judge(session: Session, reader: Reader, row: Inbox, incoming: Incoming) -> Delivery:
    """Read a message as the service will when its time comes.

    Raises:
        NotDead: its own id was used meanwhile.
        Unfit: it would be refused.
    """
    refused = row.id.startswith(inbox.REFUSED)
    try:
        # A request to the service itself never came by the broker: nobody has to vouch for it.
        judge = reader.read if refused or row.type in EVENTS else reader.read_again
        delivery = judge(incoming)
    except Malformed as refusal:
        raise Unfit(f"it would be refused again: {refusal}") from None
    envelope = delivery.envelope
    if refused:
        if session.get(Inbox, envelope.id) is not None:
            raise NotDead(inbox.meanwhile(session, delivery))
    elif (envelope.id, envelope.type) != (row.id, row.type):
        raise Unfit(f"a correction of {row.id} keeps that id, and the type {row.type}")
    return delivery
