"""What a person decides about a dead letter, message or notification, found by its id.

It is recorded twice: with the letter, as what became of it, and among the acts of people.
"""

from datetime import datetime
from uuid import uuid5

from sqlmodel import Session

from infra.operations.dead_letters.letters import Row, find_by_prefix
from shared.events.envelope import NAMESPACE
from shared.notifications import queue
from shared.notifications.tables import Notification
from shared.persistence.database import Database
from shared.processing import Person, resolutions
from shared.processing.decoding import Decoder
from shared.processing.resolutions import WouldBeRejected
from shared.processing.store import acts, triage
from shared.processing.store.decisions import Resolution


def retry(
    database: Database,
    decoder: Decoder,
    letter_id: str,
    *,
    by: Person,
    why: str,
    at: datetime,
    correction: bytes | None = None,
    round_id: str | None = None,
) -> str:
    """Give a dead letter back to the service that failed, and to no other, once.

    `correction` takes the place of a message's body (`resolutions.retry`); `at` is by the clock of
    the service, and `round_id` the same for all of a group. Returns the whole id.

    Raises:
        NotDeadLettered: there is none by that id, somebody was first, or its own id was used.
        WouldBeRejected: it would be rejected again; nothing was changed.
    """
    resolution = Resolution("retry", by.name, why, at, round_id)
    with database.begin() as session:
        row = find_by_prefix(session, letter_id)
        if not isinstance(row, Notification):
            resolutions.retry(session, decoder, row, resolution, correction)
        elif correction is None:
            queue.resend(session, row, resolution)
        else:
            raise WouldBeRejected("a mail has no body to correct; retry it as it is, or drop it")
        _record(session, by, "dead_letter.retry", row, at)
        return row.id


def drop(
    database: Database,
    letter_id: str,
    *,
    by: Person,
    why: str,
    at: datetime,
    round_id: str | None = None,
) -> str:
    """Let a dead letter rest; it stays on record with the reason. Returns its whole id.

    Raises:
        NotDeadLettered: there is none by that id, or somebody was first.
    """
    resolution = Resolution("drop", by.name, why, at, round_id)
    with database.begin() as session:
        row = find_by_prefix(session, letter_id)
        if isinstance(row, Notification):
            queue.cancel(session, row, resolution)
        else:
            resolutions.drop(session, row, resolution)
        triage.drop(session, row.id)
        _record(session, by, "dead_letter.drop", row, at)
        return row.id


def _record(session: Session, by: Person, what: str, row: Row, at: datetime) -> None:
    onboarding = row.onboarding_id if isinstance(row, Notification) else row.subject
    subject = subject_of(onboarding, row.id)
    acts.record(session, by, what, subject, at, {"letter": row.id})


def subject_of(onboarding: str | None, letter_id: str) -> str:
    """What an act is about: the onboarding; of a letter that is of none yet, the letter."""
    return onboarding or str(uuid5(NAMESPACE, f"dead-letter/{letter_id}"))
