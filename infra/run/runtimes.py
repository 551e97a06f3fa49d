"""Services put together with a bus each, ready to be started."""

from collections.abc import Sequence

from infra.buses import BusFactory
from infra.composition import build_services, publisher_rules, senders
from shared.host.requests import Clock
from shared.host.role import Role
from shared.host.runtime import Runtime, utc_now
from shared.host.settings import Settings

__all__ = ["BusFactory", "build_runtimes"]


def build_runtimes(
    settings: Settings,
    buses: BusFactory,
    names: Sequence[str] = (),
    clock: Clock = utc_now,
    only: Role | None = None,
) -> list[Runtime]:
    """The named services, or all of them, ready to be started; with a role, half their work."""
    outward, rules = senders(settings), publisher_rules(settings)
    consume = only is not Role.DELIVER
    return [
        Runtime(
            service,
            settings,
            buses.bus(service.name, consume=consume),
            outward,
            rules,
            clock,
            only,
        )
        for service in build_services(settings, names)
    ]
