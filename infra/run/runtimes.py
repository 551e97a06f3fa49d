"""Services put together with a bus each, ready to be started."""

from collections.abc import Callable, Sequence

from infra.buses import BusFactory
from infra.composition import build_services, database_addresses, publisher_rules, senders
from infra.whereabouts import warn_of_new
from shared.host.requests import Clock
from shared.host.role import Role
from shared.host.runtime import Runtime
from shared.host.settings import Settings
from shared.notifications.senders import Senders

__all__ = ["BusFactory", "build_runtimes"]


def build_runtimes(
    settings: Settings,
    buses: BusFactory,
    names: Sequence[str] = (),
    clock: Clock | None = None,
    only: Role | None = None,
    around_senders: Callable[[Senders], Senders] | None = None,
) -> list[Runtime]:
    """The named services, or all of them, ready to be started; with a role, half their work.

    `around_senders` may put something around the ways out for mails.

    Raises:
        WrongSettings: several of them would share one database.
    """
    database_addresses(settings, names)
    warn_of_new(settings, names)
    outward, rules = senders(settings), publisher_rules(settings)
    outward = around_senders(outward) if around_senders else outward
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
