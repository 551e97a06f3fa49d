"""Which message goes to which handler, and what must be loaded for it.

    SUBSCRIPTIONS = [
        on(RegistrationCompleted, place_order, loads=[ORDER, MANDATE]),
        on(CollectionResult, book_collection, loads=[ORDER_BY_REFERENCE]),
    ]

A handler's first parameter is the event or request. The others are filled by their type:
`Loaded[Order]` with what was loaded for the whole batch, `Envelope` with the postage, `Now` with
the time, anything else from the service's resources.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

from pydantic import ValidationError
from sqlalchemy import ColumnElement, inspect
from sqlmodel import SQLModel

from shared.envelope import Envelope
from shared.errors import Malformed
from shared.events.event import Event
from shared.processing.messages import AsWritten, Delivery, Message, Now, Request

T = TypeVar("T", bound=SQLModel)
Handler = Callable[..., Sequence[Message]]


class Loaded(Generic[T]):
    """The entities of one batch, and those that handlers add to it.

    In a test it is made of plain entities: `Loaded([order])`.
    """

    def __init__(self, entities: Iterable[T] = ()) -> None:
        self._by_key: dict[Any, T] = {_identity(entity): entity for entity in entities}
        self.added: list[T] = []

    def get(self, key: Any) -> T | None:
        """The entity with this primary key, if it was loaded or added."""
        return self._by_key.get(key)

    def add(self, entity: T) -> T:
        """Keep a new entity; it is stored with the transaction."""
        self._by_key[_identity(entity)] = entity
        self.added.append(entity)
        return entity

    def where(self, **values: Any) -> list[T]:
        """The entities whose columns have these values, e.g. `where(reference="O-2026-1")`."""
        return [
            entity
            for entity in self._by_key.values()
            if all(getattr(entity, name) == value for name, value in values.items())
        ]

    def merge(self, entities: Iterable[T]) -> None:
        """Take further loaded entities in; one that is there already stays as it is."""
        for entity in entities:
            self._by_key.setdefault(_identity(entity), entity)

    def __contains__(self, key: Any) -> bool:
        return key in self._by_key

    def __iter__(self) -> Iterator[T]:
        return iter(self._by_key.values())


def _identity(entity: SQLModel) -> Any:
    values = tuple(getattr(entity, column.key) for column in inspect(type(entity)).primary_key)
    return values[0] if len(values) == 1 else values


@dataclass(frozen=True, slots=True, eq=False)
class Load:
    """Load `model` where `column` is one of the keys of the batch: one query for all of them.

    `key` gives a delivery's key, several keys, or None when there is nothing to load for it; it
    may look at what the loads before it in the list have found. Rows are locked in the order of
    their primary key, so that replicas queue up rather than deadlock; `lock=False` is for what
    is only read. `only` narrows the rows further.
    """

    model: type[SQLModel]
    column: str
    key: Callable[[Delivery, "Batch"], Any]
    lock: bool = True
    only: ColumnElement[bool] | None = None

    def keys(self, delivery: Delivery, batch: "Batch") -> list[Any]:
        """This delivery's keys, as a list."""
        found = self.key(delivery, batch)
        if found is None:
            return []
        return [found] if isinstance(found, str | int | tuple) else list(found)


def by_subject(model: type[SQLModel], column: str = "onboarding_id") -> Load:
    """Load the entity that belongs to the message's onboarding."""
    return Load(model, column, lambda delivery, _batch: delivery.envelope.subject)


@dataclass(frozen=True)
class Subscription:
    """One line of a service's table: on this message, this handler, with these loads."""

    content: type[Event] | type[Request]
    handler: Handler
    loads: Sequence[Load] = ()
    as_written: bool = False

    @property
    def type(self) -> str:
        """The name by which the message is known in envelopes and in the inbox."""
        content = self.content
        return content.event_type if issubclass(content, Event) else content.request_type

    @property
    def is_event(self) -> bool:
        """Whether it comes from the broker; requests never do."""
        return issubclass(self.content, Event)

    def read(self, envelope: Envelope) -> Event | Request | AsWritten:
        """The event or request inside an envelope.

        Raises:
            Malformed: a field is missing or wrong; the text names each, never its value.
        """
        if self.as_written:
            return AsWritten(envelope.type, envelope.data)
        try:
            return self.content.model_validate(envelope.data)
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(map(str, one['loc'])) or 'data'}: {one['msg']}"
                for one in error.errors(include_input=False, include_url=False)[:20]
            )
            raise Malformed(f"the data of {envelope.type} is wrong: {wrong}") from None


def on(
    content: type[Event] | type[Request],
    handler: Handler,
    *,
    loads: Sequence[Load] = (),
    as_written: bool = False,
) -> Subscription:
    """One line of a service's table of subscriptions."""
    return Subscription(content, handler, tuple(loads), as_written)


Batch = Mapping[type[SQLModel], Loaded[Any]]
Call = Callable[[Delivery, Batch, Now], Sequence[Message]]


def wire(subscription: Subscription, resources: Mapping[type, object]) -> Call:
    """Resolve a handler's parameters once, so that a call costs no looking up.

    Raises:
        TypeError: a parameter has a type that nobody provides.
    """
    hints = get_type_hints(subscription.handler)
    hints.pop("return", None)
    names = list(hints)[1:]
    sources = [_source(hints[name], name, subscription, resources) for name in names]
    handler = subscription.handler

    def call(delivery: Delivery, batch: Batch, now: Now) -> Sequence[Message]:
        return handler(delivery.content, *(give(delivery, batch, now) for give in sources))

    return call


def _source(
    wanted: Any, name: str, subscription: Subscription, resources: Mapping[type, object]
) -> Callable[[Delivery, Batch, Now], object]:
    if get_origin(wanted) is Loaded:
        (model,) = get_args(wanted)
        if not any(load.model is model for load in subscription.loads):
            raise TypeError(f"{subscription.type}: nothing loads {model.__name__} for {name!r}")
        return partial(_loaded, model)
    if wanted is Envelope:
        return lambda delivery, _batch, _now: delivery.envelope
    if wanted is Now:
        return lambda _delivery, _batch, now: now
    if wanted in resources:
        resource = resources[wanted]
        return lambda _delivery, _batch, _now: resource
    raise TypeError(f"{subscription.type}: no resource of type {wanted} for {name!r}")


def _loaded(model: type[SQLModel], _delivery: Delivery, batch: Batch, _now: Now) -> Loaded[Any]:
    return batch[model]
