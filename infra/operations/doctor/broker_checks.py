"""Whether the broker is there, with its exchange, queues and bindings."""

from collections.abc import Iterator, Sequence
from shlex import quote

from infra.composition import topology
from infra.operations.doctor.binding_check import unheard
from infra.operations.doctor.database_checks import usable_databases
from infra.operations.doctor.finding import Finding
from infra.operations.topology.present import by_whoever_may, known_offices, missing_from_broker
from shared.host.settings import Settings
from shared.messaging.bus import ALARM, EXCHANGE, BusDown
from shared.messaging.topology import Binding, Topology, website_exchange
from shared.messaging.topology.management import Management

APPLY = "run `stappenplan topology apply`"


def broker(settings: Settings) -> Iterator[Finding]:
    """The broker, and what must be declared on it."""
    if settings.embedded:
        yield Finding("broker", True, "embedded: events live in this machine's databases")
        return
    wanted = topology(settings).with_offices(known_offices(settings))
    try:
        lacking = missing_from_broker(wanted, settings)
    except BusDown as refusal:
        advice = "check STAPPENPLAN_BROKER_URL and that the broker runs"
        yield Finding("broker", False, str(refusal), advice)
        return
    yield _alarm(settings)
    yield _publishers(settings)
    websites = [office for office in wanted.offices if website_exchange(office) in lacking]
    yield from _websites(websites)
    yield _bindings(
        settings,
        wanted.with_offices([office for office in wanted.offices if office not in websites]),
        [name for name in lacking if name not in map(website_exchange, websites)],
    )


def _alarm(settings: Settings) -> Finding:
    """Whether the broker, which answers, also takes what is published."""
    from shared.messaging.topology.declare import takes_nothing

    if by_whoever_may(settings, takes_nothing):
        return Finding("broker", False, ALARM, "`rabbitmq-diagnostics alarms` says of which node")
    return Finding("broker", True, "RabbitMQ answers, and takes what is published")


def _publishers(settings: Settings) -> Finding:
    """Whether a message counts as that of whom the broker vouches for; off is a choice."""
    if settings.strict_publishers:
        return Finding("publishers", True, "each is known by their own exchange and broker user")
    return Finding(
        "publishers",
        True,
        "strict is off: whoever may publish is believed to be whom they say; a broker user for "
        "each ({service} in STAPPENPLAN_BROKER_URL) turns it on",
    )


def _websites(offices: Sequence[str]) -> Iterator[Finding]:
    """The offices whose website has no exchange: it can sign up over HTTP alone."""
    if offices:
        words = " ".join(f"--office {quote(office)}" for office in offices)
        yield Finding(
            "websites",
            False,
            f"no exchange for the website of office {', '.join(offices)}",
            f"run `stappenplan topology apply {words}`",
        )


def _bindings(settings: Settings, wanted: Topology, lacking: list[str]) -> Finding:
    """Exchange, queues and bindings; how much of the latter can be seen is told honestly.

    AMQP cannot ask for a binding, and to try one with a message would reach the services. The
    management interface knows them all. Without it, an event that came back to its outbox shows
    that no binding of its type is left; one that still has another subscriber does not come back.
    """
    advice = f"{APPLY}, then `stappenplan replay SERVICE`"
    if lacking:
        return Finding("bindings", False, f"missing: {', '.join(lacking)}", advice)
    if settings.management_url:
        existing = Management(settings.management_url, settings.broker_url).bindings()
        lost = [binding for binding in wanted.bindings() if binding not in existing]
        lingering = [binding for binding in wanted.retired_bindings() if binding in existing]
        if lingering and not lost:
            named = ", ".join(f"{kind} → {queue}" for _, queue, kind in lingering)
            return Finding("bindings", False, f"still bound for everybody: {named}", APPLY)
        seen = "every queue and binding is there"
    else:
        returned = _returned_types(settings)
        lost = [binding for binding in wanted.bindings() if binding.event_type in returned]
        seen = (
            "every queue is there, and no event came back for want of a binding; set "
            "STAPPENPLAN_MANAGEMENT_URL to have each binding looked at"
        )
    if lost:
        named = ", ".join(_named(binding) for binding in lost)
        return Finding("bindings", False, f"missing: {named}", advice)
    return Finding("bindings", True, seen)


def _named(binding: Binding) -> str:
    by = "" if binding.exchange == EXCHANGE else f" by {binding.exchange}"
    return f"{binding.event_type} → {binding.queue}{by}"


def _returned_types(settings: Settings) -> set[str]:
    """The types of the events that wait in an outbox because no queue was bound to them."""
    with usable_databases(settings) as opened:
        return {event_type for _, database in opened.values() for event_type in unheard(database)}
