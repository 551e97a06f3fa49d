"""By which moment old rows are forgotten: not simply by what a clock says.

A clock that is wrong, or jumps ahead by a month, would have everything forgotten at once; and what
an inbox has forgotten and the broker brings again has its effect twice. So the moment that counts
is kept in the database, and follows the clock at a limited speed: whoever is to set the clock
right has days for it.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import Session, col

from shared.persistence.bulk import insert_rows
from shared.processing.store.tables import Inbox, Retention

SPEED = 4
"""How fast the moment may go, compared with time: it keeps up with a clock that is right where a
process is at work for six hours a day, and a jump by a month takes it a week."""

LONGEST_STEP = timedelta(days=1)
"""So much time counts at once: a process that slept for weeks has looked at no clock meanwhile."""

FORGETTING = "forgetting"


def advance(session: Session, now: datetime, seconds: float) -> datetime:
    """The moment by which to forget, `seconds` after this process last asked.

    It is never later than `now`. The first of all is that of the newest message.
    """
    newest = session.execute(select(func.max(col(Inbox.received_at)))).scalar_one()
    first = {"name": FORGETTING, "moment": min(now, newest or now)}
    insert_rows(session, Retention, [first], new_only=True)
    statement = select(Retention).where(col(Retention.name) == FORGETTING).with_for_update()
    row = session.execute(statement).scalar_one()
    passed = min(timedelta(seconds=max(0.0, seconds)), LONGEST_STEP)
    moment: datetime = min(now, row.moment + SPEED * passed)
    row.moment = moment
    return moment
