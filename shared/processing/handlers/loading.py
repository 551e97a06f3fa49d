"""What a handler needs loaded: declared beside it, loaded with one query for a whole batch."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from sqlmodel import SQLModel

from shared.processing.handlers.loaded import Loaded, require_columns
from shared.processing.handlers.messages import Message, Now


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

Wanted = tuple["Load", set[Any]]
"""A load, and the keys by which its rows are found."""
Fetch = Callable[[Sequence[Wanted]], Iterable[Iterable[SQLModel]]]
"""Finds the rows of several loads at once."""


class Loading(Entities):
    """What is being loaded: it is fetched together, once a key looks at what was found."""

    def __init__(self, resources: Mapping[type, Any], now: Now, fetch: Fetch) -> None:
        super().__init__(resources, now)
        self._fetch = fetch
        self._wanted: list[Wanted] = []

    def want(self, load: "Load", keys: set[Any]) -> None:
        """Have these rows there when somebody looks, at the latest when all is loaded."""
        if keys:
            self._wanted.append((load, keys))

    def __getitem__(self, model: type[SQLModel]) -> Loaded[Any]:
        self._fetch_wanted()
        return super().__getitem__(model)

    def loaded_all(self) -> Entities:
        """The entities, with nothing left to fetch."""
        self._fetch_wanted()
        whole = Entities(self.resources, self.now)
        whole.update(self)
        return whole

    def _fetch_wanted(self) -> None:
        if self._wanted:
            wanted, self._wanted = self._wanted, []
            for (load, _), rows in zip(wanted, self._fetch(wanted), strict=True):
                super().__getitem__(load.model).merge(rows)


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
