"""What was changed of loaded rows, written as arrays: one statement for all that changed alike.

SQLAlchemy's own way to the UPDATE of each row made up a fifth of what a payment costs, in a batch
and alone.
"""

from collections.abc import Iterator, Sequence
from functools import cache

import sqlalchemy
from sqlalchemy import Table, Update, and_, bindparam, func, update
from sqlalchemy.orm.attributes import instance_state
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.orm.state import InstanceState
from sqlmodel import Session, SQLModel

from shared.base.internals import AS_LOCKED, require_internals
from shared.persistence.bulk import array_of

require_internals(
    f"SQLAlchemy {sqlalchemy.__version__}",
    InstanceState,
    members=("_commit_all_states",),
    attributes=("committed_state",),
    remedy=AS_LOCKED,
)


def write_changes(session: Session) -> None:
    """Write what was changed of the rows that a session has loaded.

    Raises:
        StaleDataError: a row is no longer there.
    """
    if session.get_bind().dialect.name != "sqlite":
        for kind, names, rows in _alike(session):
            _update(session, kind, names, rows)
    session.flush()  # What is left: new rows, those to be removed, and on SQLite all.


def _alike(session: Session) -> Iterator[tuple[type[SQLModel], tuple[str, ...], list[SQLModel]]]:
    """The changed rows: those of one class whose same columns hold something else now."""
    groups: dict[tuple[type[SQLModel], tuple[str, ...]], list[SQLModel]] = {}
    for row in session.dirty:
        values, before = row.__dict__, instance_state(row).committed_state
        names = tuple(sorted(name for name, old in before.items() if old != values[name]))
        groups.setdefault((type(row), names), []).append(row)
    for (kind, names), rows in groups.items():
        if names:
            yield kind, names, rows


def _update(
    session: Session, kind: type[SQLModel], names: tuple[str, ...], rows: Sequence[SQLModel]
) -> None:
    table: Table = kind.__table__  # type: ignore[attr-defined]
    values = {
        _parameter(name): [row.__dict__[name] for row in rows]
        for name in (*table.primary_key.columns.keys(), *names)
    }
    found = session.connection().execute(_statement(table, names), values)
    if found.rowcount != len(rows):
        raise StaleDataError(
            f"{len(rows)} rows of {table.name} changed, {found.rowcount} are there"
        )
    # As it does itself when it has written them: the session knows no change of them any more.
    states = ((instance_state(row), row.__dict__) for row in rows)
    InstanceState._commit_all_states(states, session.identity_map)


@cache
def _statement(table: Table, names: tuple[str, ...]) -> Update:
    """Made once for these columns: it is the same for any number of rows."""
    keys = table.primary_key.columns.keys()
    arrays = [
        bindparam(_parameter(name), type_=array_of(table.c[name])) for name in (*keys, *names)
    ]
    new = func.unnest(*arrays).table_valued(*keys, *names).render_derived(name="changed")
    same = and_(*(table.c[key] == new.c[key] for key in keys))
    return update(table).where(same).values({name: new.c[name] for name in names})


def _parameter(name: str) -> str:
    return f"changed_{name}"
