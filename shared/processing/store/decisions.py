"""The record of what people decided about dead letters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import uuid4

from sqlalchemy import delete, select
from sqlmodel import Session, col

from shared.processing.store.tables import Decision

MAX_NAME_CHARACTERS = 200


@dataclass(frozen=True)
class Resolution:
    """One decision, before it is made: what it is, who makes it, why, and when.

    `at` is by the clock of the service, which also says when a letter is due again. Decisions about
    a group that were made as one have the same `round`.
    """

    verdict: str
    by: str
    why: str
    at: datetime
    round: str | None = None


class Failed(Protocol):
    """What a person decides about: a message or a notification that failed for good."""

    id: str
    error: str | None
    attempts: int


def of(session: Session, letter_id: str) -> Sequence[Decision]:
    """Every decision about one letter, the first one first."""
    statement = select(Decision).where(col(Decision.letter_id) == letter_id)
    return list(session.execute(statement.order_by(col(Decision.decided_at))).scalars())


def of_round(session: Session, round_id: str) -> Sequence[Decision]:
    """Every decision of one round, in the order in which they were made."""
    statement = select(Decision).where(col(Decision.round) == round_id)
    ordered = statement.order_by(col(Decision.decided_at), col(Decision.id))
    return list(session.execute(ordered).scalars())


def corrected(session: Session, message_id: str, digest: str) -> bool:
    """Whether these are the contents that somebody has put in the place of that message's own."""
    statement = select(col(Decision.id)).where(
        col(Decision.letter_id) == message_id, col(Decision.correction_digest) == digest
    )
    return session.execute(statement.limit(1)).first() is not None


def new_record(failed: Failed, resolution: Resolution) -> Decision:
    """The record of a decision that is made now, with what the letter had died of."""
    return Decision(
        id=str(uuid4()),
        letter_id=failed.id,
        verdict=resolution.verdict,
        decided_by=resolution.by[:MAX_NAME_CHARACTERS],
        decided_at=resolution.at,
        why=resolution.why,
        error=failed.error,
        attempts=failed.attempts,
        round=resolution.round,
    )


def forget(session: Session, older_than: datetime, limit: int) -> int:
    """Remove decisions from before `older_than`: they hold what people wrote, and corrections."""
    old = select(col(Decision.id)).where(col(Decision.decided_at) < older_than).limit(limit)
    result = session.execute(delete(Decision).where(col(Decision.id).in_(old)))
    return int(result.rowcount)  # type: ignore[attr-defined]
