"""Whether the broker takes what is published, asked while there is nothing to publish.

RabbitMQ tells of a resource alarm (`connection.blocked`) only whoever publishes. Where websites are
held back, nothing reaches the services; so they have nothing to say, and would never know. So now
and then each says something that nobody hears: its routing key is bound to no queue, and may never
be.
"""

from typing import Any

from shared.messaging.bus import NOBODY


class AlarmProbe:
    """Publishes to nobody, by a channel of its own; on the thread of the connections.

    A broker whose permissions are those of an earlier version refuses that, by closing the channel:
    then it is left alone until the next connection.
    """

    def __init__(self, exchange: str) -> None:
        self._exchange = exchange
        self._connection: Any = None
        self._channel: Any = None

    def probe(self, connection: Any) -> None:
        """Have the broker say so if it takes nothing; with a new connection from the next time on.

        Whether it is blocked is noted where the connection's other news are.
        """
        if connection is not self._connection:
            self._connection, self._channel = connection, None
            connection.channel(on_open_callback=self._on_open)
        elif self._channel is not None and self._channel.is_open:
            self._channel.basic_publish(self._exchange, NOBODY, b"?")

    def _on_open(self, channel: Any) -> None:
        self._channel = channel
