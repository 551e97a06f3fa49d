"""The whole system wired on one page: which services there are, and how each is put to work."""

import importlib
import pkgutil
from collections.abc import Sequence
from typing import TYPE_CHECKING

import services
from shared.events import KING_HEARS, KING_QUEUE
from shared.messaging.bus import Bus
from shared.messaging.topology import Listener, Topology, dead_queue
from shared.notifications.senders import Senders, make_senders
from shared.notifications.writers import Writers
from shared.processing.reading import Reader
from shared.processing.runtime import Clock, Runtime, utc_now
from shared.processing.service import Service
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.messaging.embedded import EmbeddedBroker

KING = Listener(KING_QUEUE, hears=KING_HEARS, says=("collection.result.v1",))


def service_names() -> list[str]:
    """Every folder under `services` is a service; a fifth one is found without being named."""
    return sorted(module.name for module in pkgutil.iter_modules(services.__path__))


def build_service(name: str, settings: Settings) -> Service:
    """One service, not yet running."""
    service: Service = importlib.import_module(f"services.{name}.service").build(settings)
    return service


def reader(settings: Settings, name: str) -> Reader:
    """Reads messages just as that service does when it runs."""
    return Reader(build_service(name, settings), strict_publishers=settings.strict_publishers)


def build_services(settings: Settings, names: Sequence[str] = ()) -> list[Service]:
    """The named services, or all of them."""
    return [build_service(name, settings) for name in names or service_names()]


def topology(settings: Settings) -> Topology:
    """Every queue and binding, derived from what the services subscribe to."""
    listeners = [
        Listener(one.name, hears=one.hears, says=one.says) for one in build_services(settings)
    ]
    return Topology((*listeners, KING))


def senders(settings: Settings) -> Senders:
    """The ways out for mails and texts, as set."""
    return make_senders(
        mail=settings.mail,
        sms=settings.sms,
        data_dir=settings.data_dir,
        mail_from=settings.mail_from,
        sms_sender=settings.sms_sender,
    )


class Lines:
    """Gives each service its line to the broker: RabbitMQ, or the embedded one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._embedded: EmbeddedBroker | None = None

    def bus(self, name: str, *, consume: bool = True) -> Bus:
        """The line of one service, or of an outside system's stand-in."""
        queue = name if consume else None
        if self._settings.embedded:
            from shared.messaging.embedded import EmbeddedBroker

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
    settings: Settings, lines: Lines, names: Sequence[str] = (), clock: Clock = utc_now
) -> list[Runtime]:
    """The named services, or all of them, ready to be started."""
    outward, writers = senders(settings), Writers(settings.mail_from)
    return [
        Runtime(service, settings, lines.bus(service.name), outward, clock, writers)
        for service in build_services(settings, names)
    ]
