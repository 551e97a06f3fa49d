"""Outside speakers: each publishes to an exchange of its own, by which it is known.

Only the queues of those who hear its events are bound there. RabbitMQ before 4.0 holds topic
permissions against the routing key alone and not against the keys in the headers `CC` and `BCC`;
what is not bound cannot be reached by any of them.
"""

from dataclasses import dataclass
from typing import NamedTuple

from shared.messaging.bus import EXCHANGE

WEBSITE = "website"


class Binding(NamedTuple):
    """By which exchange an event type comes to a queue."""

    exchange: str
    queue: str
    event_type: str


@dataclass(frozen=True)
class Speaker:
    """Somebody outside who speaks: the broker user, its exchange, and what it says there."""

    user: str
    exchange: str
    says: tuple[str, ...]


def website_user(office: str) -> str:
    """The broker user of an office's website."""
    return f"{WEBSITE}-{office}"


def website_exchange(office: str) -> str:
    """The exchange of an office's website."""
    return f"stappenplan.{WEBSITE}.{office}"


def is_website(exchange: str) -> bool:
    """Whether an exchange is that of some office's website."""
    return exchange.startswith(website_exchange(""))


def website_of(office: str, says: tuple[str, ...]) -> Speaker:
    """An office's website."""
    return Speaker(website_user(office), website_exchange(office), says)


def own_exchange(name: str) -> str:
    """The exchange of an outside system that is the only one of its kind."""
    return f"stappenplan.{name}"


def exchange_of_source(source: str) -> str:
    """The exchange by which an event with this source comes: its speaker's."""
    name = source.removeprefix("/")
    if name.startswith("services/"):
        return EXCHANGE
    kind, _, office = name.partition("/")
    return website_exchange(office) if kind == WEBSITE else own_exchange(name)
