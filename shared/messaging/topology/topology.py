"""Who hears and says what, as data: exchanges, queues, bindings and users.

Nothing here speaks to a broker. `definitions` makes the file that RabbitMQ imports when it
starts; `declare` applies the same topology to a broker that is already running.
"""

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any

from shared.messaging.bus import EXCHANGE
from shared.messaging.topology.speakers import (
    Binding,
    Speaker,
    is_website,
    own_exchange,
    website_of,
)

ADMIN = "admin"
"""The broker's administrator: applies the topology and replays; no service logs in as it."""

DELIVERY_LIMIT = 50
"""Far above what a service tries by itself, since a crash counts against every message that was
prefetched. Explicit, because its absence and -1 mean different things in RabbitMQ 3.10 and 4."""

DEAD_DELIVERY_LIMIT = 1_000_000
"""Practically never: a dead-letter queue has nowhere to pass its messages on to."""

MAX_LENGTH = 1_000_000
"""At-least-once dead-lettering keeps a message in its queue until the dead-letter queue has it,
and therefore asks for a bound. When it is reached, publishers are refused and keep their event.
An argument, because it was one in the first version: a broker refuses another in its place."""


def dead_queue(queue: str) -> str:
    """The name of the queue for what the broker dead-letters of another."""
    return f"{queue}.dead"


@dataclass(frozen=True)
class Listener:
    """Somebody with a queue: its name is the queue's and the broker user's too.

    One that is `outside` is no service of ours: what it says it says on an exchange of its own.
    """

    name: str
    hears: tuple[str, ...]
    says: tuple[str, ...]
    outside: bool = False

    @property
    def dead(self) -> str:
        """The queue for its messages that the broker gave up."""
        return dead_queue(self.name)


@dataclass(frozen=True)
class Topology:
    """Everybody who listens, and whoever speaks without listening.

    `website_says` are the events that the websites of the `offices` may publish; they hear
    nothing. With `strict` the events of outside speakers travel by these speakers' own exchanges
    alone; otherwise by the services' too.
    """

    listeners: tuple[Listener, ...]
    _: KW_ONLY
    website_says: tuple[str, ...]
    offices: tuple[str, ...] = ()
    strict: bool = False

    def with_offices(self, offices: Sequence[str]) -> "Topology":
        """The same for the websites of these offices."""
        return replace(self, offices=tuple(dict.fromkeys(offices)))

    def of_website(self, office: str) -> "Topology":
        """The part that one office's website needs: its exchange, and the queues that hear it."""
        listeners = (
            replace(each, hears=tuple(sorted({*each.hears} & {*self.website_says})))
            for each in self.listeners
        )
        hearers = tuple(each for each in listeners if each.hears)
        return replace(self, listeners=hearers, offices=(office,))

    def speakers(self) -> Iterator[Speaker]:
        """Whoever is outside and speaks."""
        for listener in self.listeners:
            if listener.outside:
                yield Speaker(listener.name, own_exchange(listener.name), listener.says)
        for office in self.offices:
            yield website_of(office, self.website_says)

    def subscribers(self, event_type: str) -> tuple[str, ...]:
        """The queues of those who hear an event type."""
        return tuple(listener.name for listener in self.listeners if event_type in listener.hears)

    def says_by(self, exchange: str) -> tuple[str, ...] | None:
        """The events that the outside speaker of this exchange owns; None for a services' one.

        It may be any office's website: the embedded broker makes an exchange when one speaks.
        """
        if exchange == EXCHANGE:
            return None
        owned = {own_exchange(each.name): each.says for each in self.listeners if each.outside}
        return owned.get(exchange, self.website_says if is_website(exchange) else ())

    def heard(self, queue: str, exchange: str) -> tuple[str, ...]:
        """The event types that come to a queue by this exchange."""
        hears = next((each.hears for each in self.listeners if each.name == queue), ())
        says = self.says_by(exchange)
        if says is not None:
            return tuple(event_type for event_type in hears if event_type in says)
        outside = self.outside_types() if self.strict else ()
        return tuple(event_type for event_type in hears if event_type not in outside)

    def bound(self, exchange: str, event_type: str) -> tuple[str, ...]:
        """The queues that get an event type by this exchange."""
        names = (listener.name for listener in self.listeners)
        return tuple(queue for queue in names if event_type in self.heard(queue, exchange))

    def exchanges(self) -> tuple[str, ...]:
        """The exchange of the services, and that of each outside speaker."""
        return (EXCHANGE, *(speaker.exchange for speaker in self.speakers()))

    def queues(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each queue with its arguments; a dead-letter queue comes before what feeds it."""
        for listener in self.listeners:
            yield listener.dead, _dead_arguments()
            yield listener.name, _arguments(listener)

    def bindings(self) -> Iterator[Binding]:
        """By which exchange each event type comes to each queue."""
        for exchange in self.exchanges():
            for listener in self.listeners:
                for event_type in self.heard(listener.name, exchange):
                    yield Binding(exchange, listener.name, event_type)

    def retired_bindings(self) -> Iterator[Binding]:
        """What an earlier version, or one that was not strict, bound and must not stay."""
        if self.strict:
            for event_type in sorted(self.outside_types()):
                for queue in self.subscribers(event_type):
                    yield Binding(EXCHANGE, queue, event_type)

    def outside_types(self) -> set[str]:
        """The event types that outside speakers own."""
        listeners = (listener.says for listener in self.listeners if listener.outside)
        return {*self.website_says, *(name for says in listeners for name in says)}

    def filled_from_outside(self) -> tuple[str, ...]:
        """The queues that outside speakers can fill."""
        outside = self.outside_types()
        return tuple(each.name for each in self.listeners if outside.intersection(each.hears))

    def users(self) -> tuple[str, ...]:
        """Everybody who may log in at the broker."""
        names = (ADMIN, *(listener.name for listener in self.listeners))
        return (*names, *(each.user for each in self.speakers() if each.user not in names))


def _arguments(listener: Listener) -> dict[str, Any]:
    """A quorum queue whose dead letters go to one queue, and never round by the exchange again.

    At-least-once, because RabbitMQ may otherwise lose a letter between the two queues; it needs
    `reject-publish`, and falls back silently without it.
    """
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": listener.dead,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
        "x-max-length": MAX_LENGTH,
    }


def _dead_arguments() -> dict[str, Any]:
    return {"x-queue-type": "quorum", "x-delivery-limit": DEAD_DELIVERY_LIMIT}
