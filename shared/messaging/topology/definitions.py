"""The definitions file that RabbitMQ imports when it starts: topology, users, permissions."""

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.messaging.bus import EXCHANGE
from shared.messaging.topology.topology import ADMIN, Topology, website_user


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
    all_passwords = new_passwords(topology, offices) | dict(passwords or {})
    document = {
        "vhosts": [{"name": vhost}],
        "users": [_user(name, all_passwords[name]) for name in topology.users(offices)],
        "permissions": _in_vhost(vhost, _permissions(topology, offices)),
        "topic_permissions": _in_vhost(vhost, _topic_permissions(topology, offices)),
        "exchanges": _in_vhost(vhost, [_exchange()]),
        "queues": _in_vhost(vhost, _queues(topology)),
        "bindings": _in_vhost(vhost, _bindings(topology)),
    }
    return Definitions(document, all_passwords)


def _in_vhost(vhost: str, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"vhost": vhost, **row} for row in rows]


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
    for listener in topology.listeners:
        writes = _exactly(EXCHANGE) if listener.says else _exactly()
        reads = _exactly(listener.name, listener.dead)
        yield {"user": listener.name, "configure": _exactly(), "write": writes, "read": reads}
    for office in offices:
        yield {
            "user": website_user(office),
            "configure": _exactly(),
            "write": _exactly(EXCHANGE),
            "read": _exactly(),
        }


def _topic_permissions(topology: Topology, offices: Sequence[str]) -> Iterator[dict[str, str]]:
    """Each says only the events it owns: without such a row RabbitMQ lets a user say anything."""
    yield {"exchange": EXCHANGE, "user": ADMIN, "write": ".*", "read": ".*"}
    for listener in topology.listeners:
        yield {
            "exchange": EXCHANGE,
            "user": listener.name,
            "write": _exactly(*listener.says),
            "read": _exactly(),
        }
    for office in offices:
        yield {
            "exchange": EXCHANGE,
            "user": website_user(office),
            "write": _exactly(*topology.website_says),
            "read": _exactly(),
        }


def _exactly(*names: str) -> str:
    """A regular expression for these names and nothing else."""
    if len(names) == 1:
        return f"^{re.escape(names[0])}$"
    return f"^({'|'.join(re.escape(name) for name in names)})$" if names else "^$"
