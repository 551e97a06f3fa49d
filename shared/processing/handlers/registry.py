"""Which message goes to which handler: a service's table of subscriptions, bound and run.

    SUBSCRIPTIONS = [
        on(RegistrationCompleted, place_order, loads=[ORDER, MANDATE]),
        on(CollectionResult, book_collection, loads=[ORDER_BY_REFERENCE]),
    ]

A handler's first parameter is the event or command. The others are filled by their type:
`Loaded[Order]` with what was loaded for the whole batch, `Envelope` with who says it and when,
`Now` with the time, `Person | None` with whose request it is, anything else from the service's
resources.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, get_args, get_origin, get_type_hints

from pydantic import ValidationError
from sqlmodel import SQLModel

from shared.base.errors import Malformed
from shared.base.log_fields import message_fields, set_log_fields
from shared.events.envelope import Envelope
from shared.events.event import Event
from shared.processing.handlers.loaded import Loaded
from shared.processing.handlers.loading import Entities, Fetch, Load, Loading
from shared.processing.handlers.messages import Command, Effect, Message, Now, Person, RawEvent
from shared.processing.retry_policy import MESSAGE_RETRIES, RetryPolicy

Handler = Callable[..., Sequence[Effect]]
Call = Callable[[Message, Entities, Now], Sequence[Effect]]
Caused = tuple[Envelope, Sequence[Effect]]
"""A cause, and the effects that its handler returned."""


@dataclass(frozen=True)
class Subscription:
    """One line of a service's table: on this message, this handler, with these loads.

    `retry` says when a message whose handler failed is tried again, and how often.

    Raises:
        TypeError: a load's key is no field of the event or command.
    """

    content: type[Event] | type[Command]
    handler: Handler
    loads: Sequence[Load] = ()
    raw: bool = False
    retry: RetryPolicy = MESSAGE_RETRIES

    def __post_init__(self) -> None:
        for load in self.loads:
            load.require_field(self.content)

    @property
    def type(self) -> str:
        """The name by which the message is known in envelopes and in the inbox."""
        content = self.content
        return content.event_type if issubclass(content, Event) else content.command_type

    @property
    def is_event(self) -> bool:
        """Whether it comes from the broker; commands never do."""
        return issubclass(self.content, Event)

    def read(self, envelope: Envelope) -> Event | Command | RawEvent:
        """The event or command inside an envelope.

        Raises:
            Malformed: a field is missing or wrong; the text names each, never its value.
        """
        if self.raw:
            return RawEvent(envelope.type, envelope.data)
        try:
            return self.content.model_validate(envelope.data)
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(map(str, fault['loc'])) or 'data'}: {fault['msg']}"
                for fault in error.errors(include_input=False, include_url=False)[:20]
            )
            raise Malformed(f"the data of {envelope.type} is wrong: {wrong}") from None


def on(
    content: type[Event] | type[Command],
    handler: Handler,
    *,
    loads: Sequence[Load] = (),
    raw: bool = False,
    retry: RetryPolicy = MESSAGE_RETRIES,
) -> Subscription:
    """One line of a service's table of subscriptions."""
    return Subscription(content, handler, tuple(loads), raw, retry)


class Progress(Protocol):
    """Is told whose handler runs, for whoever watches over it."""

    message: Message | None

    def end(self) -> None:
        """No handler runs any more."""


class HandlerRegistry:
    """One service's handlers, bound to what they ask for.

    Raises:
        TypeError: a handler's parameter has a type that nobody provides.
    """

    def __init__(
        self, service: str, subscriptions: Sequence[Subscription], resources: Mapping[type, object]
    ) -> None:
        self._service = service
        self._resources = resources
        self._subscriptions = {line.type: line for line in subscriptions}
        self._calls = {line.type: bind_parameters(line, resources) for line in subscriptions}
        self._find_by: dict[type[SQLModel], set[str]] = {}
        for load in (load for line in subscriptions for load in line.loads):
            self._find_by.setdefault(load.model, set()).update((*load.columns, *load.find_by))

    def find(self, message_type: str) -> Subscription | None:
        """The subscription to this type of message, if there is one."""
        return self._subscriptions.get(message_type)

    @property
    def retry_policies(self) -> Sequence[RetryPolicy]:
        """The policies of all its subscriptions, and that of messages without one."""
        return [MESSAGE_RETRIES, *(line.retry for line in self._subscriptions.values())]

    def retry_policy(self, message_type: str) -> RetryPolicy:
        """When a message of this type is tried again."""
        line = self._subscriptions.get(message_type)
        return line.retry if line is not None else MESSAGE_RETRIES

    def load(self, messages: Sequence[Message], fetch: Fetch, now: Now) -> Entities:
        """Load in stages: one query for each load that the batch's subscriptions declare.

        Subscriptions that declare the very same load share its query, and queries that need not
        know what others found go together.
        """
        plans = [
            (message, self._subscriptions[message.envelope.type].loads) for message in messages
        ]
        entities = Loading(self._resources, now, fetch)
        for load in (load for _, loads in plans for load in loads):
            if load.model not in entities:
                entities[load.model] = Loaded(find_by=self._find_by[load.model])
        for stage in range(max((len(loads) for _, loads in plans), default=0)):
            wanted: dict[Load, set[Any]] = {}
            for message, loads in plans:
                if stage < len(loads):
                    keys = loads[stage].keys(message, entities)
                    wanted.setdefault(loads[stage], set()).update(keys)
            for load, keys_of_batch in wanted.items():
                entities.want(load, keys_of_batch)
        loaded = entities.loaded_all()
        loaded.release()
        return loaded

    def run(
        self, messages: Sequence[Message], entities: Entities, now: Now, progress: Progress
    ) -> list[Caused]:
        """Run the handlers in order; returns each cause with the effects of its handler."""
        caused: list[Caused] = []
        try:
            for message in messages:
                progress.message = message
                envelope = message.envelope
                set_log_fields(partial(self._log_fields, envelope))
                caused.append((envelope, self._calls[envelope.type](message, entities, now)))
                entities.release()
        finally:
            set_log_fields(None)
        progress.end()
        return caused

    def _log_fields(self, envelope: Envelope) -> Mapping[str, object]:
        return message_fields(self._service, envelope.id, envelope.subject, envelope.type)


def bind_parameters(subscription: Subscription, resources: Mapping[type, object]) -> Call:
    """Resolve a handler's parameters once, so that a call costs no looking up.

    Raises:
        TypeError: a parameter has a type that nobody provides.
    """
    hints = get_type_hints(subscription.handler)
    hints.pop("return", None)
    names = list(hints)[1:]
    sources = [_source(hints[name], name, subscription, resources) for name in names]
    handler = subscription.handler

    def call(message: Message, entities: Entities, now: Now) -> Sequence[Effect]:
        return handler(message.content, *[give(message, entities, now) for give in sources])

    return call


def _source(
    wanted: Any, name: str, subscription: Subscription, resources: Mapping[type, object]
) -> Callable[[Message, Entities, Now], object]:
    if get_origin(wanted) is Loaded:
        (model,) = get_args(wanted)
        if not any(load.model is model for load in subscription.loads):
            raise TypeError(f"{subscription.type}: nothing loads {model.__name__} for {name!r}")
        return partial(_loaded, model)
    if wanted is Envelope:
        return lambda message, _entities, _now: message.envelope
    if wanted is Now:
        return lambda _message, _entities, now: now
    if wanted == (Person | None):
        return lambda message, _entities, _now: message.person
    if wanted in resources:
        resource = resources[wanted]
        return lambda _message, _entities, _now: resource
    raise TypeError(f"{subscription.type}: no resource of type {wanted} for {name!r}")


def _loaded(model: type[SQLModel], _message: Message, entities: Entities, _now: Now) -> Loaded[Any]:
    return entities[model]
