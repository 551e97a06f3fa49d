"""Which broker each service, and each outside system's stand-in, is connected to."""

from typing import TYPE_CHECKING

from infra.composition import KING, service_names, topology
from shared.host.settings import Settings
from shared.messaging.bus import EXCHANGE, Bus
from shared.messaging.topology import dead_queue, own_exchange, website_exchange, website_user

if TYPE_CHECKING:
    from shared.messaging.embedded import EmbeddedBroker


def exchange_of_user(user: str) -> str:
    """The exchange to which a broker user publishes."""
    if user == KING.name:
        return own_exchange(user)
    office = user.removeprefix(website_user(""))
    return EXCHANGE if office == user else website_exchange(office)


class BusFactory:
    """Gives each service its own way to the broker: RabbitMQ, or the embedded one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._embedded: EmbeddedBroker | None = None

    def bus(self, name: str, *, consume: bool = True, exchange: str | None = None) -> Bus:
        """The bus of one service, or of an outside system's stand-in, not yet opened.

        An outside system's publishes to that system's own exchange, unless another is named.
        `website`, of no office in particular, publishes where the services do: that is for a
        broker that is not strict.
        """
        exchange = exchange or exchange_of_user(name)
        queue = name if consume else None
        if self._settings.embedded:
            from shared.messaging.embedded.broker import EmbeddedBroker

            if self._embedded is None:
                self._embedded = EmbeddedBroker(topology(self._settings))
            return self._embedded.bus(queue, exchange)
        from shared.messaging.rabbitmq import RabbitBus

        return RabbitBus(
            self._settings.broker_url_of(name),
            queue=queue,
            name=name,
            exchange=exchange,
            # What the broker dead-lettered of a service's, it keeps itself for a person.
            dead=dead_queue(name) if queue in service_names() else None,
            heartbeat=self._settings.broker_heartbeat_seconds,
        )
