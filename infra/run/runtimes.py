"""Services put together with a line to the broker each, ready to be started."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from infra.composition import build_services, publisher_rules, senders, service_names, topology
from shared.host.role import Role
from shared.host.runtime import Clock, Runtime, utc_now
from shared.host.settings import Settings
from shared.messaging.bus import Bus
from shared.messaging.topology import dead_queue
from shared.notifications.rendering.pool import RenderPool

if TYPE_CHECKING:
    from shared.messaging.embedded import EmbeddedBroker


class BusFactory:
    """Gives each service its line to the broker: RabbitMQ, or the embedded one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._embedded: EmbeddedBroker | None = None

    def bus(self, name: str, *, consume: bool = True) -> Bus:
        """The line of one service, or of an outside system's stand-in."""
        queue = name if consume else None
        if self._settings.embedded:
            from shared.messaging.embedded.broker import EmbeddedBroker

            if self._embedded is None:
                self._embedded = EmbeddedBroker(topology(self._settings))
            return self._embedded.bus(queue)
        from shared.messaging.rabbitmq import RabbitBus

        return RabbitBus(
            self._settings.broker_url_of(name),
            queue=queue,
            name=name,
            # What the broker gave up of a service's messages, it keeps itself for a person.
            dead=dead_queue(name) if queue in service_names() else None,
            heartbeat=self._settings.broker_heartbeat_seconds,
        )


def build_runtimes(
    settings: Settings,
    buses: BusFactory,
    names: Sequence[str] = (),
    clock: Clock = utc_now,
    only: Role | None = None,
) -> list[Runtime]:
    """The named services, or all of them, ready to be started; with a role, half their work."""
    outward, pool = senders(settings), RenderPool(settings.mail_from)
    rules = publisher_rules(settings)
    consume = only is not Role.DELIVER
    return [
        Runtime(
            service,
            settings,
            buses.bus(service.name, consume=consume),
            outward,
            rules,
            clock,
            pool,
            only,
        )
        for service in build_services(settings, names)
    ]
