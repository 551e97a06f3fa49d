"""Who hears what: as data, as RabbitMQ's definitions file, and applied to a running broker.

What speaks to a broker, `declare` and `management`, is imported where it is needed: pika and
httpx take their time.
"""

from shared.messaging.topology.definitions import (
    Definitions,
    definitions,
    new_passwords,
    password_hash,
)
from shared.messaging.topology.topology import ADMIN, Listener, Topology, dead_queue

__all__ = [
    "ADMIN",
    "Definitions",
    "Listener",
    "Topology",
    "dead_queue",
    "definitions",
    "new_passwords",
    "password_hash",
]
