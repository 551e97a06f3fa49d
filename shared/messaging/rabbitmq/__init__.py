"""The bus on RabbitMQ, spoken to through pika and only in this package.

One thread does all input and output (`bus`), so that heartbeats are served however busy the
service is. It keeps two connections alive (`reconnecting_channel`): one that consumes (`consumer`)
and one that publishes (`publisher`), since a broker that is short of memory or disk stops reading
from a connection that publishes, acknowledgements included.
"""

from shared.messaging.rabbitmq.bus import RabbitBus

__all__ = ["RabbitBus"]
