"""Whether the broker is there, with its exchange, queues and bindings."""

from collections.abc import Iterator

from infra.composition import topology
from infra.operations.doctor.binding_check import unheard
from infra.operations.doctor.database_checks import usable_databases
from infra.operations.doctor.finding import Finding
from shared.host.settings import Settings
from shared.messaging.topology import management
from shared.messaging.topology.topology import ADMIN, Topology


def broker(settings: Settings) -> Iterator[Finding]:
    """The broker, and what must be declared on it."""
    if settings.embedded:
        yield Finding("broker", True, "embedded: events live in this machine's databases")
        return
    from shared.messaging.topology.declare import missing

    wanted = topology(settings)
    lacking = missing(wanted, settings.broker_url_of(ADMIN))
    if lacking is None:
        yield Finding(
            "broker",
            False,
            "RabbitMQ cannot be reached, or refuses the login",
            "check STAPPENPLAN_BROKER_URL and that the broker runs",
        )
        return
    yield Finding("broker", True, "RabbitMQ answers")
    yield _bindings(settings, wanted, lacking)


def _bindings(settings: Settings, wanted: Topology, lacking: list[str]) -> Finding:
    """Exchange, queues and bindings; how much of the latter can be seen is told honestly.

    AMQP cannot ask for a binding, and to try one with a message would reach the services. The
    management interface knows them all. Without it, an event that came back to its outbox shows
    that no binding of its type is left; one that still has another subscriber does not come back.
    """
    advice = "run `stappenplan topology apply`, then `stappenplan replay SERVICE`"
    if lacking:
        return Finding("bindings", False, f"missing: {', '.join(lacking)}", advice)
    if settings.management_url:
        lost = management.missing_bindings(wanted, settings.management_url, settings.broker_url)
        seen = "every queue and binding is there"
    else:
        returned = _returned_types(settings)
        lost = [(queue, kind) for queue, kind in wanted.bindings() if kind in returned]
        seen = (
            "every queue is there, and no event came back for want of a binding; set "
            "STAPPENPLAN_MANAGEMENT_URL to have each binding looked at"
        )
    if lost:
        named = ", ".join(f"{kind} → {queue}" for queue, kind in lost)
        return Finding("bindings", False, f"missing: {named}", advice)
    return Finding("bindings", True, seen)


def _returned_types(settings: Settings) -> set[str]:
    """The types of the events that wait in an outbox because no queue was bound to them."""
    with usable_databases(settings) as opened:
        return {event_type for _, database in opened.values() for event_type in unheard(database)}
