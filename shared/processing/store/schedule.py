"""Timers are waiting inbox rows: the machinery that retries failures also fires them, once."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from shared.processing.handlers.messages import Message
from shared.processing.store.inbox import insert_new, new_row
from shared.processing.store.kept_messages import to_columns
from shared.processing.store.tables import WAITING


def schedule(session: Session, timers: Sequence[tuple[Message, datetime]], now: datetime) -> None:
    """Keep messages until they are due, in one statement; one whose id is known stays as it is."""
    rows = [
        new_row(message, WAITING, now) | {"due_at": due} | to_columns(message.incoming)
        for message, due in timers
    ]
    insert_new(session, rows)
