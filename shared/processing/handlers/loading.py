"""What a handler needs loaded: declared beside it, loaded with one query for a whole batch."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from typing import Any, Generic, TypeVar

from sqlmodel import SQLModel

from shared.processing.handlers.messages import Message, Now

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


class Entities(dict[type[SQLModel], Loaded[Any]]):
    """What was loaded for a batch, by model.

    `resources` are the service's, by type, and `now` is when it is loaded: for keys that follow
    from these.
    """

    def __init__(self, resources: Mapping[type, Any], now: Now) -> None:
        super().__init__()
        self.resources = resources
        self.now = now

    @property
    def added(self) -> list[Sequence[SQLModel]]:
        """What handlers added, a list for each model."""
        return [loaded.added for loaded in self.values()]

    @property
    def loaded(self) -> Iterator[SQLModel]:
        """All that is in hand."""
        return chain.from_iterable(loaded.all for loaded in self.values())

    def release(self) -> None:
        """Note that a handler is through with what it was handed."""
        for loaded in self.values():
            if loaded.is_handed_out:
                loaded.release()


Key = Callable[[Message, Entities], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Load:
    """Load `model` where `column` is one of the keys of the batch: one query for all of them.

    `key` is the name of the field that holds it in the event or command, or a function that gives
    a message's key, several keys, or None when there is nothing to load for it; a function may
    look at what the loads before it in the list have found (`through`). Rows are locked in the
    order of their primary key, so that replicas queue up rather than deadlock; `lock=False` is for
    what is only read. `only` narrows the rows to those with these values. `or_column` may hold a
    key instead. `find_by` are further columns that handlers look entities up by; they may change
    within the batch.

    Raises:
        TypeError: a column is misspelt.
    """

    model: type[SQLModel]
    column: str
    key: str | Key
    lock: bool = True
    only: Mapping[str, Any] = field(default_factory=dict)
    find_by: tuple[str, ...] = ()
    or_column: str | None = None

    def __post_init__(self) -> None:
        require_columns(self.model, *self.columns, *self.only, *self.find_by)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns one of which holds a key."""
        return (self.column,) if self.or_column is None else (self.column, self.or_column)

    def require_field(self, content: type[Any]) -> None:
        """Refuse a key that the event or command does not have.

        Raises:
            TypeError: with such a key nothing would ever be loaded.
        """
        if isinstance(self.key, str) and self.key not in content.model_fields:
            raise TypeError(
                f"{content.__name__} has no field {self.key!r}, by which {self.model.__name__} "
                f"is to be loaded; it has {', '.join(content.model_fields)}"
            )

    def keys(self, message: Message, entities: Entities) -> list[Any]:
        """This message's keys, as a list."""
        if isinstance(self.key, str):
            key = getattr(message.content, self.key)
        else:
            key = self.key(message, entities)
            entities.release()
        if key is None:
            return []
        return [key] if isinstance(key, str | int | tuple) else list(key)

    def matches(self, entity: SQLModel, keys: Collection[Any]) -> bool:
        """Whether the query would find this entity by these keys; for tests without a database."""
        chosen = all(getattr(entity, name) == value for name, value in self.only.items())
        return chosen and any(getattr(entity, column) in keys for column in self.columns)


def by_subject(
    model: type[SQLModel], column: str = "onboarding_id", *, find_by: tuple[str, ...] = ()
) -> Load:
    """Load the entity that belongs to the message's onboarding."""
    return Load(model, column, lambda message, _entities: message.envelope.subject, find_by=find_by)


def through(load: Load, column: str) -> Key:
    """The key of a load that follows another: what that one's entities hold in this column.

    Raises:
        TypeError: the column is misspelt.
    """
    require_columns(load.model, column)

    def keys(message: Message, entities: Entities) -> list[Any]:
        loaded = entities[load.model]
        values = [
            getattr(entity, column)
            for key in load.keys(message, entities)
            for entity in loaded.look(**{load.column: key})
        ]
        return [value for value in values if value is not None]

    return keys
