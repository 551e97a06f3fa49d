"""Who hears and says what, as data: the exchange's queues, bindings and users.

Nothing here speaks to a broker. `definitions` makes the file that RabbitMQ imports when it
starts; `declare` applies the same topology to a broker that is already running.
"""

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

ADMIN = "admin"
"""The broker's administrator: applies the topology and replays; no service logs in as it."""

DELIVERY_LIMIT = 50
"""Far above what a service tries by itself, since a crash counts against every message that was
prefetched. Explicit, because its absence and -1 mean different things in RabbitMQ 3.10 and 4."""

DEAD_DELIVERY_LIMIT = 1_000_000
"""Practically never: a dead-letter queue has nowhere to pass its messages on to."""

MAX_LENGTH = 1_000_000
"""At-least-once dead-lettering keeps a message in its queue until the dead-letter queue has it,
and therefore asks for a bound. When it is reached, publishers are refused and keep their event."""


def dead_queue(queue: str) -> str:
    """The name of the queue for what the broker dead-letters of another."""
    return f"{queue}.dead"


@dataclass(frozen=True)
class Listener:
    """Somebody with a queue: its name is the queue's and the broker user's too."""

    name: str
    hears: tuple[str, ...]
    says: tuple[str, ...]

    @property
    def dead(self) -> str:
        """The queue for its messages that no consumer survived."""
        return dead_queue(self.name)


@dataclass(frozen=True)
class Topology:
    """Everybody who listens.

    `website_says` are the events that the offices' websites may publish; they hear nothing.
    """

    listeners: tuple[Listener, ...]
    _: KW_ONLY
    website_says: tuple[str, ...]

    def subscribers(self, event_type: str) -> tuple[str, ...]:
        """The queues that are bound to an event type."""
        return tuple(listener.name for listener in self.listeners if event_type in listener.hears)

    def queues(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each queue with its arguments; a dead-letter queue comes before what feeds it."""
        for listener in self.listeners:
            yield listener.dead, _dead_arguments()
            yield listener.name, _arguments(listener)

    def bindings(self) -> Iterator[tuple[str, str]]:
        """Each queue with each event type that it hears."""
        for listener in self.listeners:
            for event_type in listener.hears:
                yield listener.name, event_type

    def users(self, offices: Sequence[str]) -> tuple[str, ...]:
        """Everybody who may log in at the broker."""
        websites = (website_user(office) for office in offices)
        return (ADMIN, *(listener.name for listener in self.listeners), *websites)


def website_user(office: str) -> str:
    """The broker user of an office's website."""
    return f"website-{office}"


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
