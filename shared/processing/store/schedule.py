"""Timers are waiting inbox rows: the machinery that retries failures also fires them, once."""

from datetime import datetime

from sqlmodel import Session

from shared.processing.handlers.messages import Message
from shared.processing.store.inbox import insert_new, new_row
from shared.processing.store.kept_messages import to_columns
from shared.processing.store.tables import WAITING


def schedule(session: Session, message: Message, now: datetime, *, due: datetime) -> bool:
    """Keep a message for later; False when its id is known already."""
    row = new_row(message, WAITING, now) | {"due_at": due} | to_columns(message.incoming)
    return bool(insert_new(session, [row]))
