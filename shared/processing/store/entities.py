"""The service's own entities, as far as a batch's loads declare them."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import or_, select
from sqlmodel import Session, SQLModel

from shared.persistence.bulk import KEYS, among_keys
from shared.processing.handlers.loading import Load


def fetch(session: Session, load: Load, keys: set[Any]) -> Iterable[SQLModel]:
    """The rows of one load, locked in the order of their primary key."""
    statement = _statement(load, session.get_bind().dialect.name)
    return session.execute(statement, {KEYS: sorted(keys)}).scalars().all()


@cache
def _statement(load: Load, dialect: str) -> Any:
    """One statement for any number of keys, made once: that takes as long as its answer does."""
    table = load.model.__table__  # type: ignore[attr-defined]
    holds_key = or_(*(among_keys(table.c[column], dialect) for column in load.columns))
    statement = select(load.model).where(holds_key)
    statement = statement.order_by(*table.primary_key.columns)
    for name, value in load.only.items():
        column = table.c[name]
        statement = statement.where(column.is_(None) if value is None else column == value)
    return statement.with_for_update(of=load.model) if load.lock else statement
