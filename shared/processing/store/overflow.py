"""What was refused and is not kept: counted for each speaker, so that a flood fills no database."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, update
from sqlmodel import Session, col

from shared.messaging.bus import EXCHANGE, Incoming
from shared.persistence.bulk import insert_rows
from shared.processing.store.kept_messages import REFUSED, storable
from shared.processing.store.tables import DEAD, Inbox, Overflow

LETTERS_OF_A_SPEAKER = 200
"""How many refused messages of one outside speaker wait for a person at a time."""


def speaker_of(incoming: Incoming) -> str | None:
    """Whose letters a refused message is counted with: the exchange that its speaker owns.

    None for what came by the services' exchange, or by none: what our own services say must not be
    lost, and where nothing is strict nobody can tell theirs from others'.
    """
    if incoming.exchange in (None, "", EXCHANGE):
        return None
    return storable(str(incoming.exchange))[:255]


def is_full(session: Session, speaker: str, letter_id: str) -> bool:
    """Whether no more letters of a speaker are kept; one that is there already stays.

    When the last one was dealt with, what was counted with them is dealt with too.
    """
    letters = select(col(Inbox.id)).where(*_open_letters(speaker))
    ids = session.execute(letters.limit(LETTERS_OF_A_SPEAKER)).scalars().all()
    if not ids:
        session.execute(delete(Overflow).where(col(Overflow.speaker) == speaker))
    return len(ids) >= LETTERS_OF_A_SPEAKER and session.get(Inbox, letter_id) is None


def _open_letters(speaker: str) -> tuple[ColumnElement[bool], ...]:
    refused = col(Inbox.id).startswith(REFUSED)
    return col(Inbox.status) == DEAD, refused, col(Inbox.exchange) == speaker


def add(session: Session, speaker: str, error: str, now: datetime) -> int:
    """Count one more of a speaker's that is not kept; returns how many there are."""
    first = {"speaker": speaker, "number": 0, "since": now, "last_at": now, "error": error}
    insert_rows(session, Overflow, [first], new_only=True)
    statement = (
        update(Overflow)
        .where(col(Overflow.speaker) == speaker)
        .values(number=Overflow.number + 1, last_at=now, error=error)
        .returning(col(Overflow.number))
    )
    return int(session.execute(statement).scalar_one())


def of_open_letters(session: Session) -> Sequence[Overflow]:
    """What was not kept of those speakers of whom letters still wait for a person."""
    rows = session.execute(select(Overflow).order_by(col(Overflow.speaker))).scalars().all()
    return [row for row in rows if _any_open(session, row.speaker)]


def _any_open(session: Session, speaker: str) -> bool:
    letters = select(col(Inbox.id)).where(*_open_letters(speaker))
    return session.execute(letters.limit(1)).first() is not None
