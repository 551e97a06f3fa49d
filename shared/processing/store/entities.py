"""The service's own entities, as far as a batch's loads declare them."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import or_
from sqlmodel import Session, SQLModel

from shared.persistence.bulk import KEYS, among_keys
from shared.persistence.rows import columns_in_hand, read_rows
from shared.persistence.statements import Statement
from shared.processing.handlers.loading import Load


def fetch(session: Session, load: Load, keys: set[Any]) -> Sequence[SQLModel]:
    """The rows of one load, locked in the order of their primary key."""
    statement = _statement(load, session.get_bind().dialect.name)
    return read_rows(session, load.model, statement, {KEYS: sorted(keys)})


@cache
def _statement(load: Load, dialect: str) -> Statement:
    """One statement for any number of keys, made once: that takes as long as its answer does."""
    table = load.model.__table__  # type: ignore[attr-defined]
    holds_key = or_(*(among_keys(table.c[column], dialect) for column in load.columns))
    query = columns_in_hand(load.model).where(holds_key).order_by(*table.primary_key.columns)
    for name, value in load.only.items():
        column = table.c[name]
        query = query.where(column.is_(None) if value is None else column == value)
    return Statement(query.with_for_update(of=table) if load.lock else query)
