"""The record of what people decided about dead letters."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlmodel import Session, col

from shared.processing.model import Decision


def of(session: Session, letter_id: str) -> list[Decision]:
    """Every decision about one letter, the first one first."""
    statement = select(Decision).where(col(Decision.letter_id) == letter_id)
    return list(session.execute(statement.order_by(col(Decision.decided_at))).scalars())


def knows(session: Session, message_id: str, digest: str) -> bool:
    """Whether these are the contents that somebody has put in the place of that message's own."""
    statement = select(col(Decision.id)).where(
        col(Decision.letter_id) == message_id, col(Decision.correction_digest) == digest
    )
    return session.execute(statement.limit(1)).first() is not None


def forget(session: Session, older_than: datetime, limit: int) -> int:
    """Remove decisions from before `older_than`: they hold what people wrote, and corrections."""
    old = select(col(Decision.id)).where(col(Decision.decided_at) < older_than).limit(limit)
    result = session.execute(delete(Decision).where(col(Decision.id).in_(old)))
    return int(result.rowcount)  # type: ignore[attr-defined]
