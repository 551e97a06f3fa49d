"""Many rows in one short statement, whatever their number."""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    String,
    Table,
    Text,
    any_,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlmodel import AutoString, Session, SQLModel

from shared.persistence.statements import MOST_SHAPES, Asked, Statement, fetch_together


def insert_rows(
    session: Session,
    table: type[SQLModel],
    rows: Sequence[Mapping[str, Any]],
    *,
    new_only: bool = False,
) -> set[Any]:
    """Insert rows that all have the same columns, in one statement.

    With `new_only`, a row whose primary key is there already is left alone, and the primary keys
    of those that were inserted are returned.
    """
    into: Table = table.__table__  # type: ignore[attr-defined]
    if new_only:
        (found,) = fetch_together(session, [new_rows(session, table, rows)])
        return {inserted for (inserted,) in found}
    if session.get_bind().dialect.name == "sqlite":
        session.execute(sqlite.insert(into), list(rows))
    else:
        statement, values = _as_arrays(into, rows, new_only=False)
        statement.post(session, values)
    return set()


def new_rows(session: Session, table: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> Asked:
    """What inserts those rows whose primary key is not there, and finds the keys of just those.

    All rows have the same columns; the primary key is one of these.
    """
    into: Table = table.__table__  # type: ignore[attr-defined]
    if session.get_bind().dialect.name == "sqlite":
        return _new_one_by_one(into), list(rows)
    return _as_arrays(into, rows, new_only=True)


def _as_arrays(into: Table, rows: Sequence[Mapping[str, Any]], *, new_only: bool) -> Asked:
    (key,) = into.primary_key.columns
    names = tuple(rows[0])
    # What is the same in every row, such as the time, need not be sent for each.
    first, *others = rows
    alike = tuple(
        one for one in names if one != key.name and all(row[one] == first[one] for row in others)
    )
    values = {name: first[name] if name in alike else [row[name] for row in rows] for name in names}
    return _from_arrays(into, names, alike, new_only), values


def insert_into(table: Table, dialect: str) -> Any:
    """An INSERT that says what becomes of what is there already, as this database writes it."""
    if dialect == "sqlite":
        return sqlite.insert(table)
    return _postgresql().insert(table)


def insert_entities(session: Session, entities: Sequence[SQLModel]) -> None:
    """Insert new entities of one class in one statement; the session does not track them."""
    if not entities:
        return
    kind = type(entities[0])
    names = kind.__table__.columns.keys()  # type: ignore[attr-defined]
    # Past SQLAlchemy's look-up of each column: what a new row does not hold, it has not.
    rows = [{name: one.__dict__.get(name) for name in names} for one in entities]
    insert_rows(session, kind, rows)


KEYS = "keys"
"""The parameter under which a statement that is made once is given its keys."""


def in_(session: Session, column: Column[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """That a column has one of these values.

    PostgreSQL gets them as one array: the statement is the same for any number of them, so that
    it is compiled and planned once.
    """
    if session.get_bind().dialect.name == "sqlite":
        return column.in_(values)
    array = bindparam(None, list(values), type_=array_of(column))
    return column == any_(array)


def among_keys(column: Column[Any], dialect: str) -> ColumnElement[bool]:
    """The same for a statement that is made once, and given its `KEYS` when it is executed."""
    if dialect == "sqlite":
        return column.in_(bindparam(KEYS, expanding=True))
    return column == any_(bindparam(KEYS, type_=array_of(column)))


def array_of(column: Column[Any]) -> ARRAY[Any]:
    """An array of what a column holds.

    Of text without its length: to that PostgreSQL would cut what is too long, and say nothing.
    """
    is_text = isinstance(column.type, String | AutoString)
    return ARRAY(Text() if is_text else column.type, dimensions=1)


@cache
def _new_one_by_one(into: Table) -> Statement:
    statement = sqlite.insert(into).on_conflict_do_nothing()
    return Statement(statement.returning(*into.primary_key.columns))


@lru_cache(MOST_SHAPES)
def _from_arrays(
    into: Table, names: tuple[str, ...], alike: tuple[str, ...], new_only: bool
) -> Statement:
    """One short statement for any number of rows: each column that differs comes as an array."""
    arrayed = [name for name in names if name not in alike]
    arrays = [bindparam(name, type_=array_of(into.c[name])) for name in arrayed]
    source = func.unnest(*arrays).table_valued(*arrayed).render_derived()
    columns = [
        source.c[name] if name in arrayed else bindparam(name, type_=into.c[name].type)
        for name in names
    ]
    statement = (
        _postgresql()
        .insert(into)
        .from_select(list(names), select(*columns).select_from(source), include_defaults=False)
    )
    if not new_only:
        return Statement(statement)
    return Statement(statement.on_conflict_do_nothing().returning(*into.primary_key.columns))


def _postgresql() -> Any:
    """Its dialect, loaded where there is such a database: the embedded default need not wait."""
    from sqlalchemy.dialects import postgresql

    return postgresql
