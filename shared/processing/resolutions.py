"""What a person decides about a dead letter: to retry it, perhaps corrected, or to drop it.

A decision is recorded with who, when and why, and what the letter had died of; of two people who
decide at once, one wins. A retried letter goes to the service that failed and to no other.

A letter that was rejected (its id begins with `REJECTED`) takes its own id when it is retried. If
that id was used meanwhile, the letter is not run: this event has had its effect, or another one
has its id. Whoever retries is told so, and may give a correction with an id of its own.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import update
from sqlmodel import Session, SQLModel, col

from shared.base.errors import Malformed, StappenplanError
from shared.events.envelope import CONTENT_TYPE
from shared.messaging.bus import Incoming
from shared.processing.dead_letters import REJECTED, DeadLetters
from shared.processing.decoding import BINARY_PREFIXES, Decoder
from shared.processing.handlers.messages import Message
from shared.processing.store.decisions import Failed, Resolution, new_record
from shared.processing.store.kept_messages import to_columns, to_incoming
from shared.processing.store.tables import DEAD, DROPPED, WAITING, Decision, Inbox
from shared.trade.discretion import without_citizen_numbers
from shared.trade.text import LEAVE_OUT


class NotDeadLettered(StappenplanError):
    """Nothing can be decided about it now: e.g. somebody else was first."""


class WouldBeRejected(StappenplanError):
    """The letter, or what somebody would put in its place, would only be rejected again."""


class Resolvable(Failed, Protocol):
    """A row about which a decision can be recorded."""

    status: str
    decision: str | None
    decided_by: str | None


def retry(
    session: Session,
    decoder: Decoder,
    row: Inbox,
    resolution: Resolution,
    correction: bytes | None = None,
) -> None:
    """Give a dead message back to the service that failed, once.

    `correction` takes the place of its body: a whole event (a CloudEvents document, with its
    `specversion`), or what stood in the body of one whose attributes came as headers. The
    original is kept beside it.

    Raises:
        NotDeadLettered: it is not dead, somebody was first, or its own id was used meanwhile.
        WouldBeRejected: it would be rejected again; nothing was changed.
    """
    record = new_record(row, resolution)
    renewed = _due(resolution.at)
    if correction is not None:
        renewed |= _put_in_place(session, decoder, row, correction, record)
    elif row.status == DEAD and row.id.startswith(REJECTED):
        _judge(session, decoder, row, to_incoming(row))
    resolve(session, row, DEAD, renewed, resolution, record)


def _due(at: datetime) -> dict[str, Any]:
    """The columns of a message that begins anew."""
    return {"status": WAITING, "due_at": at, "attempts": 0, "crashes": 0, "error": None}


def read_anew(
    session: Session, decoder: Decoder, row: Inbox, correction: bytes | None = None
) -> Message:
    """The message that a dead letter would be run as if it were retried now; nothing is changed.

    Raises:
        NotDeadLettered: it is not dead, or its own id was used meanwhile.
        WouldBeRejected: it would be rejected again.
    """
    require_failed(row, DEAD)
    incoming = to_incoming(row)
    if correction is not None:
        incoming = _corrected(incoming, correction)
    elif not row.id.startswith(REJECTED):
        try:
            return decoder.decode_stored(incoming)
        except Malformed as refusal:
            raise WouldBeRejected(f"it would be refused again: {refusal}") from None
    return _judge(session, decoder, row, incoming)


def _put_in_place(
    session: Session, decoder: Decoder, row: Inbox, correction: bytes, record: Decision
) -> dict[str, Any]:
    """The columns of a corrected message; the record keeps what it was, and what it is now."""
    require_failed(row, DEAD)
    incoming = _corrected(to_incoming(row), correction)
    message = _judge(session, decoder, row, incoming)
    record.original, record.original_properties = row.body, row.properties
    record.correction = incoming.body
    record.correction_digest = message.envelope.digest()
    rejected = row.id.startswith(REJECTED)
    return to_columns(incoming) | ({} if rejected else {"subject": message.envelope.subject})


def drop(session: Session, row: Inbox, resolution: Resolution) -> None:
    """Let a dead message rest; it stays on record with the reason.

    Raises:
        NotDeadLettered: it is not dead, or somebody was first.
    """
    resolve(session, row, DEAD, {"status": DROPPED}, resolution, new_record(row, resolution))


def resolve(
    session: Session,
    row: Resolvable,
    failed: str,
    values: Mapping[str, Any],
    resolution: Resolution,
    record: Decision,
) -> None:
    """Record a decision: compare and set, so that only the first of two people finds it as it was.

    `failed` is the status in which a row of this table waits for a person.

    Raises:
        NotDeadLettered: somebody was first.
    """
    model: Any = type(row)
    decided = {
        "decision": f"{resolution.verdict}: {resolution.why}",
        "decided_by": record.decided_by,
        "decided_at": record.decided_at,
    }
    waiting = (col(model.id) == row.id, col(model.status) == failed)
    statement = update(model).where(*waiting).values(**values, **decided).returning(col(model.id))
    if not session.execute(statement.execution_options(synchronize_session=False)).first():
        assert isinstance(row, SQLModel)  # noqa: S101 - every row is one.
        session.refresh(row)
        require_failed(row, failed)
    session.add(record)


def require_failed(row: Resolvable, failed: str) -> None:
    """Refuse a decision about what does not wait for one.

    Raises:
        NotDeadLettered: the text says what became of it, and by whom.
    """
    if row.status == failed:
        return
    if row.decision is None:
        raise NotDeadLettered(f"{row.id} is not dead: it is {row.status}")
    raise NotDeadLettered(f"{row.id} is {row.status}: {row.decided_by} decided, {row.decision}")


def _corrected(incoming: Incoming, correction: bytes) -> Incoming:
    """The message with another body; a whole event brings its own attributes.

    Its routing key and its user stay: what the broker vouched for is not for a person to change.

    Raises:
        WouldBeRejected: it holds a citizen number, which is neither run nor kept.
    """
    if without_citizen_numbers(correction) != correction:
        raise WouldBeRejected(f"the correction is not taken: {LEAVE_OUT}")
    try:
        document = json.loads(correction)
    except (ValueError, RecursionError):
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


def _judge(session: Session, decoder: Decoder, row: Inbox, incoming: Incoming) -> Message:
    """Decode a message as the service will when its time comes.

    Raises:
        NotDeadLettered: its own id was used meanwhile.
        WouldBeRejected: it would be rejected.
    """
    rejected = row.id.startswith(REJECTED)
    # A command to the service itself never came by the broker: nobody has to vouch for it.
    stored = not rejected and decoder.is_command(row.type)
    try:
        message = decoder.decode_stored(incoming) if stored else decoder.decode(incoming)
    except Malformed as refusal:
        raise WouldBeRejected(f"it would be refused again: {refusal}") from None
    envelope = message.envelope
    if rejected:
        if session.get(Inbox, envelope.id) is not None:
            raise NotDeadLettered(DeadLetters.id_conflict_reason(session, message))
    elif (envelope.id, envelope.type) != (row.id, row.type):
        raise WouldBeRejected(f"a correction of {row.id} keeps that id, and the type {row.type}")
    return message
