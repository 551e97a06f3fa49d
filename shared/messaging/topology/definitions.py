"""The definitions file that RabbitMQ imports when it starts: topology, users, permissions."""

import base64
import hashlib
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.messaging.bus import EXCHANGE, NOBODY
from shared.messaging.topology.patterns import exactly
from shared.messaging.topology.policies import policies
from shared.messaging.topology.topology import ADMIN, Topology

OUTSIDE_LIMITS = {"max-connections": 10, "max-channels": 50}
"""What one outside user may have open at once: plenty for a website, too little to starve others.
"""


@dataclass(frozen=True)
class Definitions:
    """The file that RabbitMQ imports, and the passwords that it holds only as salted hashes."""

    document: dict[str, Any]
    passwords: dict[str, str] = field(repr=False)


def new_passwords(topology: Topology) -> dict[str, str]:
    """Random passwords, one for each user of the broker."""
    return {user: secrets.token_urlsafe(24) for user in topology.users()}


def definitions(
    topology: Topology,
    offices: Sequence[str],
    passwords: Mapping[str, str] | None = None,
    *,
    vhost: str = "/",
) -> Definitions:
    """The definitions that RabbitMQ imports: topology, users, least privilege, limits.

    A user who has none in `passwords` gets a random one.
    """
    topology = topology.with_offices(offices)
    all_passwords = new_passwords(topology) | dict(passwords or {})
    hashes = {name: password_hash(all_passwords[name]) for name in topology.users()}
    document = {
        "vhosts": [{"name": vhost}],
        **access(topology, hashes, vhost=vhost),
        "exchanges": _in_vhost(vhost, map(_exchange, topology.exchanges())),
        "queues": _in_vhost(vhost, _queues(topology)),
        "bindings": _in_vhost(vhost, _bindings(topology)),
    }
    return Definitions(document, all_passwords)


def access(topology: Topology, hashes: Mapping[str, str], *, vhost: str) -> dict[str, Any]:
    """The part that AMQP cannot make: users, permissions, limits.

    `hashes` are the users' passwords as RabbitMQ keeps them; who has none there is left out as a
    user, and may do what the topology says nevertheless.
    """
    return {
        "users": [_user(topology, name, hash_) for name, hash_ in hashes.items()],
        "permissions": _in_vhost(vhost, _permissions(topology)),
        "topic_permissions": _in_vhost(vhost, _topic_permissions(topology)),
        "policies": _in_vhost(vhost, policies(topology)),
    }


def _in_vhost(vhost: str, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"vhost": vhost, **row} for row in rows]


def _exchange(name: str) -> dict[str, Any]:
    """No alternate exchange: with one, RabbitMQ would confirm an event that nobody hears."""
    return {
        "name": name,
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
    for exchange, queue, event_type in topology.bindings():
        yield {
            "source": exchange,
            "destination": queue,
            "destination_type": "queue",
            "routing_key": event_type,
            "arguments": {},
        }


def _user(topology: Topology, name: str, hash_: str) -> dict[str, Any]:
    outside = any(speaker.user == name for speaker in topology.speakers())
    return {
        "name": name,
        "password_hash": hash_,
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": ["administrator"] if name == ADMIN else [],
        "limits": OUTSIDE_LIMITS if outside else {},
    }


def password_hash(password: str, salt: bytes | None = None) -> str:
    """RabbitMQ's own form: base64 of a salt of 4 bytes and the SHA-256 of salt and password."""
    salt = salt if salt is not None else secrets.token_bytes(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _permissions(topology: Topology) -> Iterator[dict[str, str]]:
    """Nobody but the administrator may declare anything; each reads its own queue alone.

    Whoever is outside writes to its own exchange and to no other: what it can reach is what is
    bound there, whatever its messages say.
    """
    yield {"user": ADMIN, "configure": ".*", "write": ".*", "read": ".*"}
    exchanges = {speaker.user: speaker.exchange for speaker in topology.speakers()}
    for listener in topology.listeners:
        exchange = exchanges.pop(listener.name, EXCHANGE)
        writes = exactly(exchange) if listener.says else exactly()
        reads = exactly(listener.name, listener.dead)
        yield {"user": listener.name, "configure": exactly(), "write": writes, "read": reads}
    for user, exchange in exchanges.items():
        yield {
            "user": user,
            "configure": exactly(),
            "write": exactly(exchange),
            "read": exactly(),
        }


def _topic_permissions(topology: Topology) -> Iterator[dict[str, str]]:
    """Each says only the events it owns: without such a row RabbitMQ lets a user say anything.

    For the services this is what keeps them apart. For outside speakers it only tells a mistake
    to whoever makes it: the row on the services' exchange takes away what an earlier version gave.
    """
    services = [each for each in topology.listeners if not each.outside]
    # What nobody hears they say to learn whether the broker takes anything (`AlarmProbe`).
    says = {(EXCHANGE, each.name): (*each.says, NOBODY) for each in services}
    for speaker in topology.speakers():
        says |= {(speaker.exchange, speaker.user): speaker.says, (EXCHANGE, speaker.user): ()}
    yield {"exchange": EXCHANGE, "user": ADMIN, "write": ".*", "read": ".*"}
    for (exchange, user), events in says.items():
        yield {
            "exchange": exchange,
            "user": user,
            "write": exactly(*events),
            "read": exactly(),
        }
