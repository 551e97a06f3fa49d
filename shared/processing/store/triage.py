"""What operators tell each other of dead letters: a note, who sees to it, whether it is held."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlmodel import Session, col

from shared.persistence.bulk import in_
from shared.processing.store.decisions import MAX_NAME_CHARACTERS
from shared.processing.store.leases import forget_oldest
from shared.processing.store.tables import Triage

TRIAGE = Triage.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Care:
    """How a letter is seen to, as an operator would have it from now on."""

    note: str | None
    owner: str | None
    on_hold: bool


def of(session: Session, letter_ids: Sequence[str]) -> Mapping[str, Triage]:
    """What is said of these letters, by their ids; of most of them nothing is."""
    rows = session.execute(select(Triage).where(in_(session, TRIAGE.c.letter_id, letter_ids)))
    return {row.letter_id: row for row in rows.scalars()}


def put(session: Session, letter_id: str, care: Care, by: str, now: datetime) -> None:
    """Say this of a letter, in the place of what was said before; of two people the later holds."""
    session.merge(
        Triage(
            letter_id=letter_id,
            note=care.note,
            owner=care.owner[:MAX_NAME_CHARACTERS] if care.owner else None,
            on_hold=care.on_hold,
            changed_by=by[:MAX_NAME_CHARACTERS],
            changed_at=now,
        )
    )


def drop(session: Session, letter_id: str) -> None:
    """Nothing is to be said of it any more."""
    session.execute(delete(Triage).where(col(Triage.letter_id) == letter_id))


def forget(session: Session, older_than: datetime, limit: int) -> int:
    """Remove what was last changed before `older_than`."""
    return forget_oldest(session, TRIAGE.c.changed_at, older_than, limit=limit)
