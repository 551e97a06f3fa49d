"""The bearer tokens that were made, as one service's database knows them."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, update
from sqlmodel import Session, col, select

from shared.processing.store.tables import Token

USE_NOTED_EVERY = timedelta(hours=1)
"""How exactly it is known when a token was last used: one write an hour, not one a request."""


def listed(session: Session, valid_after: datetime | None = None) -> Sequence[Token]:
    """The tokens that were made, the earliest first; of those that end after a moment alone."""
    query = select(Token).order_by(col(Token.made_at), col(Token.id))
    if valid_after is not None:
        query = query.where(col(Token.expires_at) > valid_after)
    return session.exec(query).all()


def revoke(session: Session, token_id: str, by: str, now: datetime) -> bool:
    """End a token that was made; returns whether that changed anything: it may be ended already."""
    token = session.get_one(Token, token_id)
    if token.revoked_at is not None:
        return False
    token.revoked_at, token.revoked_by = now, by[:200]
    return True


def note_use(session: Session, token_ids: Collection[str], now: datetime) -> None:
    """Note that these are in use."""
    stale = or_(col(Token.last_used_at).is_(None), col(Token.last_used_at) < now - USE_NOTED_EVERY)
    session.execute(
        update(Token).where(col(Token.id).in_(token_ids), stale).values(last_used_at=now)
    )
