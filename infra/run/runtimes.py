"""Services put together with a bus each, ready to be started."""

from collections.abc import Sequence

from infra.buses import BusFactory
from infra.composition import build_services, publisher_rules, senders
from shared.host.runtime import Clock, Runtime, utc_now
from shared.host.settings import Settings
from shared.notifications.rendering.pool import RenderPool

__all__ = ["BusFactory", "build_runtimes"]


def build_runtimes(
    settings: Settings, buses: BusFactory, names: Sequence[str] = (), clock: Clock = utc_now
) -> list[Runtime]:
    """The named services, or all of them, ready to be started."""
    outward, pool = senders(settings), RenderPool(settings.mail_from)
    rules = publisher_rules(settings)
    return [
        Runtime(service, settings, buses.bus(service.name), outward, rules, clock, pool)
        for service in build_services(settings, names)
    ]
