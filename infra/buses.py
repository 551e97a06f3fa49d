"""Which broker each service, and each outside system's stand-in, is connected to."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from infra.composition import KING, service_names, topology
from shared.base.errors import WrongSettings
from shared.host.settings import Settings
from shared.messaging.bus import EXCHANGE, Bus, BusDown, Outgoing, PublishResult
from shared.messaging.topology import dead_queue, own_exchange, website_exchange, website_user

if TYPE_CHECKING:
    from shared.messaging.embedded import EmbeddedBroker

ANSWER_SECONDS = 60.0
"""How long somebody at the keyboard waits for what the broker says."""

PATIENCE_SECONDS = 5.0
"""How long, while the broker takes nothing: that lasts until somebody frees memory or disk."""

LOOK_SECONDS = 0.25


def publish(bus: Bus, messages: Sequence[Outgoing]) -> list[PublishResult]:
    """Publish by a bus that is open; what the broker says of each message, in order.

    Raises:
        BusDown: the broker is away, or takes nothing; the text says why. What was published may
            have arrived, or arrive later.
    """
    future = bus.publish(messages)
    deadline = time.monotonic() + ANSWER_SECONDS
    patience = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            results = future.result(timeout=LOOK_SECONDS)
        except TimeoutError:
            now, trouble = time.monotonic(), bus.trouble()
            if now > deadline or (trouble and now > patience):
                raise BusDown(trouble or "the broker does not answer in time") from None
        else:
            if PublishResult.UNKNOWN in results and (trouble := bus.trouble()):
                raise BusDown(trouble)
            return results


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
        return self._rabbit_bus(name, queue, exchange)

    def _rabbit_bus(self, name: str, queue: str | None, exchange: str) -> Bus:
        from shared.messaging.rabbitmq import RabbitBus

        try:
            return RabbitBus(
                self._settings.broker_url_of(name),
                queue=queue,
                name=name,
                exchange=exchange,
                # What the broker dead-lettered of a service's, it keeps itself for a person.
                dead=dead_queue(name) if queue in service_names() else None,
                heartbeat=self._settings.broker_heartbeat_seconds,
            )
        except (ValueError, TypeError, SyntaxError):
            # pika reads the options, and repeats them in its error.
            raise WrongSettings(
                "STAPPENPLAN_BROKER_URL: an option behind the question mark is not understood; "
                "leave it out, or look it up at pika's URLParameters"
            ) from None
