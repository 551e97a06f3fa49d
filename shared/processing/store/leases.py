"""Claim and lease, next due, forget: written once, for inbox, outbox and notifications.

A row that is due is claimed by making it due again later: by the end of the lease it is done, or
its process died, and whoever looks next claims it. Nothing is kept for ever: what had its effect
is removed, the oldest first, in portions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar, cast

from sqlalchemy import (
    Column,
    ColumnElement,
    Table,
    TextClause,
    and_,
    case,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, SQLModel

from shared.persistence.bulk import in_
from shared.persistence.clock import CLOCK_TOLERANCE


class Leasable(Protocol):
    """A row that counts how often it was tried."""

    attempts: int


R = TypeVar("R", bound=SQLModel)


@dataclass(frozen=True)
class LeasedRows(Generic[R]):
    """The rows of `model` that are still to be dealt with, each when its column `due` says.

    `pending` is the condition of the partial index over that column.
    """

    model: type[R]
    pending: ColumnElement[bool] | TextClause
    due: str

    def claim(
        self, session: Session, now: datetime, limit: int, *conditions: ColumnElement[bool]
    ) -> list[R]:
        """The rows that are due, the first due first, locked; others' locked rows are passed over.

        They are not leased yet: see `lease` and `lease_together`.
        """
        due = self._column
        statement = (
            select(self.model)
            .where(self.pending, due <= now, *conditions)
            .order_by(due)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return list(session.execute(statement).scalars())

    def lease(self, row: R, until: datetime) -> None:
        """Count an attempt, and have the row due again when the lease ends."""
        setattr(row, self.due, until)
        cast(Leasable, row).attempts += 1

    def lease_together(self, session: Session, rows: Sequence[R], until: datetime) -> None:
        """Lease all these rows in one UPDATE; the session has nothing more to write of them."""
        if not rows:
            return
        (key,) = self._table.primary_key.columns
        ours = in_(session, key, [getattr(row, key.name) for row in rows])
        leased = {self.due: until, "attempts": self._attempts + 1}
        session.connection().execute(update(self._table).where(ours).values(leased))
        for row in rows:
            set_committed_value(row, self.due, until)
            set_committed_value(row, "attempts", cast(Leasable, row).attempts + 1)

    def are_astray(self, session: Session, now: datetime, furthest: Sequence[timedelta]) -> bool:
        """Whether some are due further ahead than any can be by its own rule (`recall`)."""
        statement = select(self._key).where(*self._astray(now, furthest)).limit(1)
        return session.execute(statement).first() is not None

    def recall(
        self,
        session: Session,
        now: datetime,
        furthest: Sequence[timedelta],
        lease: timedelta,
        limit: int = 1000,
    ) -> int:
        """Make due what is due further ahead than it can be by its own rule; returns how many.

        `furthest` says how far that is, by how often it was tried (`furthest_ahead`). One that was
        tried may be in somebody's hands, and is due when a `lease` from now has ended.
        """
        astray = select(self._key).where(*self._astray(now, furthest)).limit(limit)
        keys = session.execute(astray.with_for_update(skip_locked=True)).scalars().all()
        if keys:
            due = case((self._attempts == 0, now), else_=now + lease)
            ours = update(self._table).where(in_(session, self._key, keys))
            session.execute(ours.values({self.due: due}))
        return len(keys)

    def _astray(
        self, now: datetime, furthest: Sequence[timedelta]
    ) -> tuple[ColumnElement[bool] | TextClause, ...]:
        latest = [now + pause + CLOCK_TOLERANCE for pause in furthest]
        tried = [self._attempts == number for number in range(len(latest) - 1)]
        tried.append(self._attempts >= len(latest) - 1)
        beyond = [and_(*both) for both in zip(tried, map(self._column.__gt__, latest), strict=True)]
        return self.pending, self._column > min(latest), or_(*beyond)

    def next_due(self, session: Session) -> datetime | None:
        """When the next row is due; None when nothing is to be dealt with."""
        statement = select(func.min(self._column)).where(self.pending)
        moment: datetime | None = session.execute(statement).scalar_one()
        return moment

    @property
    def _table(self) -> Table:
        table: Table = self.model.__table__  # type: ignore[attr-defined]
        return table

    @property
    def _column(self) -> Column[Any]:
        return self._table.c[self.due]

    @property
    def _attempts(self) -> Column[Any]:
        return self._table.c["attempts"]

    @property
    def _key(self) -> Column[Any]:
        (key,) = self._table.primary_key.columns
        return key


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
        session.execute(delete(moment.table).where(in_(session, key, keys)))
    return len(keys)
