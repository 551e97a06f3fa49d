"""The service's own entities, as far as a batch's loads declare them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, SQLModel

from shared.persistence.bulk import in_
from shared.processing.handlers.loading import Load


def fetch(session: Session, load: Load, keys: set[Any]) -> Iterable[SQLModel]:
    """The rows of one load, locked in the order of their primary key."""
    table = load.model.__table__  # type: ignore[attr-defined]
    statement = select(load.model).where(in_(session, table.c[load.column], sorted(keys)))
    statement = statement.order_by(*table.primary_key.columns)
    for name, value in load.only.items():
        column = table.c[name]
        statement = statement.where(column.is_(None) if value is None else column == value)
    if load.lock:
        statement = statement.with_for_update(of=load.model)
    return session.execute(statement).scalars().all()
