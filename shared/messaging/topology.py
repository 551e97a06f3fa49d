"""Who hears what, as data: the exchange, queues, bindings, users and permissions.

Nothing here speaks to a broker. `definitions` makes the file that RabbitMQ imports when it
starts; `shared.messaging.declare` applies the same topology to a broker that is already running.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.messaging.bus import EXCHANGE

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
    """The name of the queue for what the broker gives up of another."""
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
    website_says: tuple[str, ...] = ("signup.submitted.v1",)

    def subscribers(self, event_type: str) -> tuple[str, ...]:
        """The queues that are bound to an event type."""
        return tuple(one.name for one in self.listeners if event_type in one.hears)

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
        websites = (f"website-{office}" for office in offices)
        return (ADMIN, *(one.name for one in self.listeners), *websites)


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


@dataclass(frozen=True)
class Definitions:
    """The file that RabbitMQ imports, and the passwords that it holds only as salted hashes."""

    document: dict[str, Any]
    passwords: dict[str, str] = field(repr=False)


def new_passwords(topology: Topology, offices: Sequence[str]) -> dict[str, str]:
    """Random passwords, one for each user of the broker."""
    return {user: secrets.token_urlsafe(24) for user in topology.users(offices)}


def definitions(
    topology: Topology,
    offices: Sequence[str],
    passwords: Mapping[str, str] | None = None,
    *,
    vhost: str = "/",
) -> Definitions:
    """The definitions that RabbitMQ imports: topology, users, least privilege.

    A user who has none in `passwords` gets a random one.
    """
    known = new_passwords(topology, offices) | dict(passwords or {})
    document = {
        "vhosts": [{"name": vhost}],
        "users": [_user(name, known[name]) for name in topology.users(offices)],
        "permissions": [{"vhost": vhost, **one} for one in _permissions(topology, offices)],
        "topic_permissions": [
            {"vhost": vhost, "exchange": EXCHANGE, **one}
            for one in _topic_permissions(topology, offices)
        ],
        "exchanges": [{"vhost": vhost, **_exchange()}],
        "queues": [{"vhost": vhost, **one} for one in _queues(topology)],
        "bindings": [{"vhost": vhost, **one} for one in _bindings(topology)],
    }
    return Definitions(document, known)


def _exchange() -> dict[str, Any]:
    """No alternate exchange: with one, RabbitMQ would confirm an event that nobody hears."""
    return {
        "name": EXCHANGE,
        "type": "topic",
        "durable": True,
        "auto_delete": False,
        "internal": False,
        "arguments": {},
    }


def _queues(topology: Topology) -> Iterator[dict[str, Any]]:
    for name, arguments in topology.queues():
        yield {"name": name, "durable": True, "auto_delete": False, "arguments": arguments}


def _bindings(topology: Topology) -> Iterator[dict[str, Any]]:
    for queue, event_type in topology.bindings():
        yield {
            "source": EXCHANGE,
            "destination": queue,
            "destination_type": "queue",
            "routing_key": event_type,
            "arguments": {},
        }


def _user(name: str, password: str) -> dict[str, Any]:
    return {
        "name": name,
        "password_hash": password_hash(password),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": ["administrator"] if name == ADMIN else [],
        "limits": {},
    }


def password_hash(password: str, salt: bytes | None = None) -> str:
    """RabbitMQ's own form: base64 of a salt of 4 bytes and the SHA-256 of salt and password."""
    salt = salt if salt is not None else secrets.token_bytes(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _permissions(topology: Topology, offices: Sequence[str]) -> Iterator[dict[str, str]]:
    """Nobody but the administrator may declare anything; each reads its own queue alone."""
    yield {"user": ADMIN, "configure": ".*", "write": ".*", "read": ".*"}
    for one in topology.listeners:
        writes = _exactly(EXCHANGE) if one.says else _exactly()
        reads = _exactly(one.name, one.dead)
        yield {"user": one.name, "configure": _exactly(), "write": writes, "read": reads}
    for office in offices:
        yield {
            "user": f"website-{office}",
            "configure": _exactly(),
            "write": _exactly(EXCHANGE),
            "read": _exactly(),
        }


def _topic_permissions(topology: Topology, offices: Sequence[str]) -> Iterator[dict[str, str]]:
    """Each says only the events it owns: without such a row RabbitMQ lets a user say anything."""
    yield {"user": ADMIN, "write": ".*", "read": ".*"}
    for one in topology.listeners:
        yield {"user": one.name, "write": _exactly(*one.says), "read": _exactly()}
    for office in offices:
        user = f"website-{office}"
        yield {"user": user, "write": _exactly(*topology.website_says), "read": _exactly()}


def _exactly(*names: str) -> str:
    """A regular expression for these names and nothing else."""
    if len(names) == 1:
        return f"^{re.escape(names[0])}$"
    return f"^({'|'.join(re.escape(name) for name in names)})$" if names else "^$"
