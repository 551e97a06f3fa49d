"""A row in a handler's hand: its columns are plain attributes, and it notes what they held before.

An instance of SQLAlchemy's looks each column up in what the session knows of the row, whenever it
is read, and is costly to make. A handler reads some seventy columns for a payment, of rows that the
transaction has locked and that nobody else changes: an object of a class without all that serves
it as well. A document (JSON) is parsed when it is looked at: most handlers need few of those that
their rows have.
"""

from abc import ABCMeta
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, TypeVar

from pydantic_core import from_json
from sqlalchemy import JSON, Column, Select, Table, Text, select
from sqlalchemy import cast as sql_cast
from sqlmodel import Session, SQLModel

from shared.persistence.statements import Statement, Values

T = TypeVar("T", bound=SQLModel)

BEFORE = "_before"
"""Under this name a row keeps what its columns held that were assigned."""


class _InHand:
    """What a row in hand has beside its model's own methods."""

    __slots__ = ()

    _column_names: ClassVar[frozenset[str]]

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._column_names:
            raise AttributeError(f"{type(self).__name__} has no {name}")
        values = self.__dict__
        before = values.get(BEFORE)
        if before is None:
            before = values[BEFORE] = {}
        if name not in before:
            before[name] = getattr(self, name)
        values[name] = value

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """What it holds, with the documents that nobody has looked at: pydantic would not ask."""
        self._parse_documents()
        dumped: dict[str, Any] = super().model_dump(**options)  # type: ignore[misc]
        return dumped

    def model_dump_json(self, **options: Any) -> str:
        """The same as JSON."""
        self._parse_documents()
        dumped: str = super().model_dump_json(**options)  # type: ignore[misc]
        return dumped

    def _parse_documents(self) -> None:
        for name in self._column_names:
            getattr(self, name)


class _Document:
    """A column of JSON, whose text is parsed when it is first looked at."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._text = _text_of(name)

    def __get__(self, row: Any, _owner: type) -> Any:
        text = row.__dict__.pop(self._text)
        value = row.__dict__[self._name] = None if text is None else from_json(text)
        return value


def columns_in_hand(model: type[SQLModel]) -> Select[Any]:
    """A query for what makes rows of this model, documents as their text."""
    columns = _table(model).columns.values()
    return select(*(sql_cast(each, Text) if _is_document(each) else each for each in columns))


def read_rows(
    session: Session, model: type[T], statement: Statement, values: Values
) -> Sequence[T]:
    """The rows that a statement made from `columns_in_hand` finds; the session tracks none."""
    return in_hand(model, statement.fetch(session, values))


def in_hand(model: type[T], found: Iterable[Sequence[Any]]) -> Sequence[T]:
    """Rows of this model from what such a statement has found."""
    kind, names = _class_in_hand(model)
    rows = []
    for values in found:
        row = object.__new__(kind)
        row.__dict__.update(zip(names, values, strict=True))
        rows.append(row)
    return rows


def changes_of(row: SQLModel) -> Mapping[str, Any]:
    """What the columns of a row held before that hold something else now."""
    values = row.__dict__
    if BEFORE not in values:
        return {}
    return {name: old for name, old in values[BEFORE].items() if old != values[name]}


def note_written(rows: Iterable[SQLModel]) -> None:
    """What these rows hold is in the database: it is no change any more."""
    for row in rows:
        row.__dict__.pop(BEFORE, None)


@cache
def _class_in_hand(model: type[T]) -> tuple[type[T], Sequence[str]]:
    """A model's class without SQLAlchemy's descriptors, and under which names its values are kept.

    It is made past SQLModel's own way of making classes, which would map it to a table once more.
    """
    columns = _table(model).columns.items()
    members: dict[str, Any] = {"__module__": model.__module__, "__qualname__": model.__qualname__}
    members["_column_names"] = frozenset(name for name, _ in columns)
    for name, column in columns:
        members[name] = _Document(name) if _is_document(column) else None
    kind = ABCMeta.__new__(type(model), model.__name__, (_InHand, model), members)
    names = [_text_of(name) if _is_document(column) else name for name, column in columns]
    return kind, names


def _text_of(document: str) -> str:
    return f"_text_of_{document}"


def _is_document(column: Column[Any]) -> bool:
    return isinstance(column.type, JSON)


def _table(model: type[SQLModel]) -> Table:
    table: Table = model.__table__  # type: ignore[attr-defined]
    return table
