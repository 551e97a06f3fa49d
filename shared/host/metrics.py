"""The numbers of a process, in Prometheus' text format."""

from typing import TYPE_CHECKING

from shared.host.counting import Counting

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Gauge


def exposition(counting: Counting) -> tuple[bytes, str]:
    """The numbers of these services, counted when asked.

    Of one whose database is away it is told that it is, and what the process knows by itself; how
    much lies in its tables is left out, since a number of before would be taken for one of now.
    """
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.exposition import CONTENT_TYPE_LATEST

    registry = CollectorRegistry()
    gauges, dead_lettered = _gauges(registry), _dead_letter_counter(registry)
    seen_by_service = counting.take()
    for runtime in counting.runtimes:
        name = runtime.service.name
        seen = seen_by_service[name]
        gauges["database"].labels(name).set(1 if seen else 0)
        gauges["ready"].labels(name).set(1 if seen and seen.ready else 0)
        for reason, number in runtime.engine.dead_letters.counts.items():
            dead_lettered.labels(name, reason).inc(number)
        if seen is None:
            continue
        gauges["outbox"].labels(name).set(seen.depths.unpublished)
        for status, number in seen.depths.inbox.items():
            gauges["inbox"].labels(name, status).set(number)
        for status, number in seen.depths.notifications.items():
            gauges["notifications"].labels(name, status).set(number)
    return generate_latest(registry), CONTENT_TYPE_LATEST


GAUGES = {
    "inbox": ("stappenplan_inbox_messages", "Messages by state", ["service", "status"]),
    "outbox": (
        "stappenplan_outbox_unpublished",
        "Events not yet confirmed by the broker",
        ["service"],
    ),
    "notifications": (
        "stappenplan_notifications",
        "Mails and texts by state",
        ["service", "status"],
    ),
    "database": ("stappenplan_database_up", "1 when the database answers in time", ["service"]),
    "ready": ("stappenplan_ready", "1 when the service can work now", ["service"]),
}
"""What is counted when asked: its name, its meaning, its labels."""


def _gauges(registry: "CollectorRegistry") -> "dict[str, Gauge]":
    from prometheus_client import Gauge

    return {key: Gauge(*description, registry=registry) for key, description in GAUGES.items()}


def _dead_letter_counter(registry: "CollectorRegistry") -> "Counter":
    from prometheus_client import Counter

    return Counter(
        "stappenplan_messages_dead_lettered",
        "Messages that died since this process started, by reason",
        ["service", "reason"],
        registry=registry,
    )
