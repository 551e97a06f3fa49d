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
from shared.messaging.topology.speakers import (
    Binding,
    Speaker,
    exchange_of_source,
    own_exchange,
    website_exchange,
    website_user,
)
from shared.messaging.topology.topology import ADMIN, Listener, Topology, dead_queue

__all__ = [
    "ADMIN",
    "Binding",
    "Definitions",
    "Listener",
    "Speaker",
    "Topology",
    "dead_queue",
    "definitions",
    "exchange_of_source",
    "new_passwords",
    "own_exchange",
    "password_hash",
    "website_exchange",
    "website_user",
]
