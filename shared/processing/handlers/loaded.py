"""Entities in a handler's hand: those that were loaded, and those that it adds."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Generic, TypeVar

from sqlmodel import SQLModel

T = TypeVar("T", bound=SQLModel)


class Loaded(Generic[T]):
    """The entities of one batch, and those that handlers add to it.

    `get` finds by primary key, `where` by columns that some load declares (its own, and those in
    its `find_by`). In a test it is made of plain entities, `Loaded([order])`, and finds by any
    column. Entities that were handed out may change: before each look-up, and when `release` says
    that a handler is through with them, they are filed anew under what they hold now.
    """

    def __init__(
        self, entities: Iterable[T] = (), *, find_by: Collection[str] | None = None
    ) -> None:
        self.added: list[T] = []
        self._find_by = find_by
        self._numbers: dict[Any, int] = {}
        self._entities: dict[int, T] = {}
        self._indexes: dict[str, _Index[T]] = {}
        self._handed_out: dict[int, T] = {}
        self.merge(entities)

    def get(self, key: Any) -> T | None:
        """The entity with this primary key, if it was loaded or added."""
        number = self._numbers.get(key)
        if number is None:
            return None
        entity = self._handed_out[number] = self._entities[number]
        return entity

    def add(self, entity: T) -> T:
        """Keep a new entity and return it; it is stored with the transaction."""
        self._keep(_identity(entity), entity)
        self.added.append(entity)
        return entity

    def where(self, **values: Any) -> list[T]:
        """The entities whose columns have these values, e.g. `where(reference="O-2026-1")`.

        Raises:
            TypeError: a name is no column, or no load declares that it is looked up by.
        """
        found = self._find(values)
        self._handed_out.update(found)
        return list(found.values())

    def look(self, **values: Any) -> list[T]:
        """The same for whoever changes none of them, such as a load's key."""
        return list(self._find(values).values())

    def merge(self, entities: Iterable[T]) -> None:
        """Take further loaded entities in; one that is there already stays as it is."""
        for entity in entities:
            key = _identity(entity)
            if key not in self._numbers:
                self._keep(key, entity)

    @property
    def all(self) -> Collection[T]:
        """All of them, for whoever changes none."""
        return self._entities.values()

    @property
    def is_handed_out(self) -> bool:
        """Whether any of them may have changed since the last `release`."""
        return bool(self._handed_out)

    def release(self) -> None:
        """Note that whoever was handed entities is through with changing them."""
        self._file_anew()
        self._handed_out.clear()

    def __contains__(self, key: Any) -> bool:
        return key in self._numbers

    def __iter__(self) -> Iterator[T]:
        self._handed_out.update(self._entities)
        return iter(list(self._entities.values()))

    def _find(self, values: Mapping[str, Any]) -> Mapping[int, T]:
        for name in values:
            if name not in self._indexes:
                self._indexes[name] = self._new_index(name)
        self._file_anew()
        buckets = [self._indexes[name].bucket(value) for name, value in values.items()]
        smallest = buckets[0] if len(buckets) == 1 else min(buckets, key=len)
        if len(buckets) == 1 and len(smallest) < 2:
            return smallest  # Nearly always.
        numbers = sorted(smallest)
        return {n: smallest[n] for n in numbers if all(n in each for each in buckets)}

    def _keep(self, key: Any, entity: T) -> None:
        number = self._numbers.setdefault(key, len(self._numbers))
        self._entities[number] = self._handed_out[number] = entity

    def _new_index(self, name: str) -> "_Index[T]":
        if self._find_by is not None and name not in self._find_by:
            declared = ", ".join(sorted(self._find_by)) or "nothing"
            raise TypeError(
                f"no load declares that entities are found by {name!r} (but by {declared}): "
                f"add find_by=({name!r},) to the load"
            )
        for entity in self._entities.values():
            require_columns(type(entity), name)
            break
        index: _Index[T] = _Index(name)
        for number, entity in self._entities.items():
            index.file(number, entity)
        return index

    def _file_anew(self) -> None:
        if not self._handed_out:
            return
        for index in self._indexes.values():
            for number, entity in self._handed_out.items():
                index.file(number, entity)


class _Index(Generic[T]):
    """The entities by the value of one column, each under its number."""

    def __init__(self, column: str) -> None:
        self._column = column
        self._filed: dict[int, Any] = {}
        self._buckets: dict[Any, dict[int, T]] = {}

    def bucket(self, value: Any) -> Mapping[int, T]:
        """The entities that were filed under this value."""
        return self._buckets.get(value, {})

    def file(self, number: int, entity: T) -> None:
        """File an entity under what its column holds now, and no longer under what it held."""
        value = getattr(entity, self._column)
        if number in self._filed:
            before = self._filed[number]
            if before == value:
                self._buckets[value][number] = entity
                return
            del self._buckets[before][number]
        self._filed[number] = value
        self._buckets.setdefault(value, {})[number] = entity


def _identity(entity: SQLModel) -> Any:
    names = _primary_key(type(entity))
    if len(names) == 1:
        return getattr(entity, names[0])
    return tuple(getattr(entity, name) for name in names)


@cache
def _primary_key(model: type[SQLModel]) -> tuple[str, ...]:
    return tuple(model.__table__.primary_key.columns.keys())  # type: ignore[attr-defined]


def require_columns(model: type[SQLModel], *names: str) -> None:
    """Refuse a name that is no column of this model.

    Raises:
        TypeError: the text names what is misspelt, and the columns there are.
    """
    columns = model.__table__.columns.keys()  # type: ignore[attr-defined]
    unknown = [name for name in names if name not in columns]
    if unknown:
        raise TypeError(
            f"{model.__name__} has no column {', '.join(unknown)}; it has {', '.join(columns)}"
        )
