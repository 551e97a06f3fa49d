"""Nothing is kept for ever: what had its effect is removed, the oldest first, in portions."""

from datetime import datetime

from sqlalchemy import Column, ColumnElement, delete, select
from sqlmodel import Session

from shared.database import among


def forget_oldest(
    session: Session,
    moment: Column[datetime],
    older_than: datetime,
    *conditions: ColumnElement[bool],
    limit: int,
) -> int:
    """Delete the oldest rows of a table, by this moment of theirs; returns how many.

    The order has each portion begin where the index does. Without it PostgreSQL may read the
    table from its start, when much of it is old, past all the rows that earlier portions
    removed. Rows that another replica is removing are passed over.
    """
    (key,) = moment.table.primary_key.columns
    oldest = (
        select(key)
        .where(moment < older_than, *conditions)
        .order_by(moment)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    keys = sorted(session.execute(oldest).scalars())
    if keys:
        session.execute(delete(moment.table).where(among(session, key, keys)))
    return len(keys)
