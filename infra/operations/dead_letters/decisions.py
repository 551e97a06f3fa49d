"""What a person decides about a dead letter, message or notification, found by its id."""

from infra.operations.dead_letters.letters import find_by_prefix
from shared.notifications import queue
from shared.notifications.tables import Notification
from shared.persistence.database import Database
from shared.processing import resolutions
from shared.processing.decoding import Decoder
from shared.processing.resolutions import WouldBeRejected
from shared.processing.store.decisions import Resolution


def retry(
    database: Database,
    decoder: Decoder,
    letter_id: str,
    *,
    by: str,
    why: str,
    correction: bytes | None = None,
) -> str:
    """Give a dead letter back to the service that failed, and to no other, once.

    `correction` takes the place of a message's body (`resolutions.retry`). Returns the whole id.

    Raises:
        NotDeadLettered: there is none by that id, somebody was first, or its own id was used.
        WouldBeRejected: it would be rejected again; nothing was changed.
    """
    resolution = Resolution("retry", by, why)
    with database.begin() as session:
        row = find_by_prefix(session, letter_id)
        if not isinstance(row, Notification):
            resolutions.retry(session, decoder, row, resolution, correction)
        elif correction is None:
            queue.resend(session, row, resolution)
        else:
            raise WouldBeRejected("a mail has no body to correct; retry it as it is, or drop it")
        return row.id


def drop(database: Database, letter_id: str, *, by: str, why: str) -> str:
    """Let a dead letter rest; it stays on record with the reason. Returns its whole id.

    Raises:
        NotDeadLettered: there is none by that id, or somebody was first.
    """
    resolution = Resolution("drop", by, why)
    with database.begin() as session:
        row = find_by_prefix(session, letter_id)
        if isinstance(row, Notification):
            queue.cancel(session, row, resolution)
        else:
            resolutions.drop(session, row, resolution)
        return row.id
