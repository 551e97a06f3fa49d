"""The base of every table: a SQLModel that trusts its own code.

SQLModel looks every field up again for each instance and sets each value twice, once for itself
and once for SQLAlchemy. That was a fifth of the time of a registration. What we store was
validated on its way in, as an event or a request, so that one assignment is enough.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Any

import sqlalchemy
import sqlmodel
from pydantic_core import PydanticUndefined
from sqlalchemy import Column, DateTime, Dialect, Index, TypeDecorator, text
from sqlalchemy.orm.base import DEFAULT_STATE_ATTR
from sqlalchemy.orm.state import InstanceState
from sqlalchemy.util import PopulateDict
from sqlmodel import SQLModel

from shared.base.internals import AS_LOCKED, require_internals

STATE = "_sa_instance_state"
"""Under this name SQLAlchemy keeps what it knows of a row in the row itself."""

if DEFAULT_STATE_ATTR != STATE:
    raise ImportError(
        f"SQLAlchemy {sqlalchemy.__version__} keeps a row's state under {DEFAULT_STATE_ATTR}, not "
        f"under {STATE}, which Stappenplan uses: {AS_LOCKED}"
    )
require_internals(f"SQLAlchemy {sqlalchemy.__version__}", InstanceState, members=("key",))
require_internals(f"SQLModel {sqlmodel.__version__}", SQLModel, members=("__pydantic_fields__",))


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: always aware, always UTC, on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times, which would be read in an unknown zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give SQLite's naive moments their zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def moment(*, nullable: bool = False, index: bool = False) -> Column[datetime]:
    """A column that holds a moment in UTC."""
    return Column(UtcDateTime(), nullable=nullable, index=index)


class Entity(SQLModel):
    """One row, made with its columns by name and changed by assignment.

    Raises:
        TypeError: it was made with a name that is no column.
        AttributeError: a name that is no column was assigned.
    """

    def __init__(self, **values: Any) -> None:
        fields = type(self).__pydantic_fields__
        if not values.keys() <= fields.keys():
            unknown = ", ".join(sorted(values.keys() - fields.keys()))
            raise TypeError(f"{type(self).__name__} has no {unknown}")
        plain, made = _defaults(type(self))
        self.__dict__.update(plain, **values)
        for name, make in made.items():
            if name not in values:
                self.__dict__[name] = make()

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and name not in type(self).__pydantic_fields__:
            raise AttributeError(f"{type(self).__name__} has no {name}")
        state = self.__dict__.get(STATE)
        if state is not None and state.key is None:
            # The database does not know the row: it is written whole, whatever has changed.
            self.__dict__[name] = value
        else:
            # A column is a descriptor of SQLAlchemy's, which takes note of the change.
            object.__setattr__(self, name, value)


def index_of(rows: str, name: str, *columns: str) -> Index:
    """An index of those rows alone for which this condition holds; the others cost it nothing.

    A query finds it by the same condition. SQLite knows it again only when it is written out,
    with no parameter in it.
    """
    return _PartialIndex(name, *columns, sqlite_where=text(rows))


class _PartialIndex(Index):
    """An index of some rows, of which PostgreSQL's dialect is told when there is such a database.

    SQLAlchemy would load it to note the condition, and a start of the embedded default would wait
    for what it has no use for.
    """

    inherit_cache = True

    @cached_property
    def dialect_options(self) -> PopulateDict[str, Any]:
        """By the name of a dialect, what it is told of this index."""
        known = super().dialect_options
        return PopulateDict(lambda dialect: self._told(known[dialect], dialect))

    @property
    def dialect_kwargs(self) -> Any:
        """What all of them are told, by which copies of this index are made."""
        _ = self.dialect_options["postgresql"]  # Once asked for, it is among them.
        return super().dialect_kwargs

    def _told(self, options: Any, dialect: str) -> Any:
        if dialect == "postgresql":
            options["where"] = self.dialect_options["sqlite"]["where"]
        return options


@cache
def _defaults(kind: type[Entity]) -> tuple[dict[str, Any], dict[str, Callable[[], Any]]]:
    """What each column holds when nothing is said about it: values, and those made anew."""
    fields = kind.__pydantic_fields__
    made: dict[str, Any] = {
        name: field.default_factory for name, field in fields.items() if field.default_factory
    }
    plain = {name: field.get_default() for name, field in fields.items() if name not in made}
    return {name: one for name, one in plain.items() if one is not PydanticUndefined}, made
