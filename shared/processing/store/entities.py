"""The service's own entities, as far as a batch's loads declare them."""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import or_
from sqlmodel import Session, SQLModel

from shared.persistence.bulk import KEYS, among_keys
from shared.persistence.rows import columns_in_hand, in_hand
from shared.persistence.statements import Statement, fetch_together
from shared.processing.handlers.loading import Load, Wanted
from shared.processing.store.inbox import Claim


def fetch(
    session: Session, wanted: Sequence[Wanted], claim: Claim | None = None
) -> Sequence[Sequence[SQLModel]]:
    """The rows of each load, locked in the order of the loads and of their primary keys.

    With a claim, its messages are claimed before.
    """
    dialect = session.get_bind().dialect.name
    asked = [(_statement(load, dialect), {KEYS: sorted(keys)}) for load, keys in wanted]
    found = claim.fetch_along(asked) if claim else fetch_together(session, asked)
    return [in_hand(load.model, rows) for (load, _), rows in zip(wanted, found, strict=True)]


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
