"""How much there is of everything: for Prometheus and for the doctor."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlmodel import Session, col

from shared.host.runtime import Runtime
from shared.notifications.tables import FAILED, Notification
from shared.notifications.tables import WAITING as UNSENT
from shared.processing.store.tables import DEAD, WAITING, Inbox, Outbox

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Gauge


@dataclass(frozen=True)
class QueueDepths:
    """What waits and what is dead. Done rows are not counted: that would read them all."""

    inbox: dict[str, int]
    notifications: dict[str, int]
    unpublished: int


def count(session: Session) -> QueueDepths:
    """Count through the partial indexes, whatever the size of the tables."""
    return QueueDepths(
        inbox={
            status: _how_many(session, Inbox, col(Inbox.status) == status)
            for status in (WAITING, DEAD)
        },
        notifications={
            status: _how_many(session, Notification, col(Notification.status) == status)
            for status in (UNSENT, FAILED)
        },
        unpublished=_how_many(session, Outbox, col(Outbox.published_at).is_(None)),
    )


def _how_many(session: Session, table: type, condition: object) -> int:
    statement = select(func.count()).select_from(table).where(condition)  # type: ignore[arg-type]
    return int(session.execute(statement).scalar_one())


def exposition(runtimes: Sequence[Runtime]) -> tuple[bytes, str]:
    """The numbers of these services in Prometheus' text format, counted when asked."""
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.exposition import CONTENT_TYPE_LATEST

    registry = CollectorRegistry()
    gauges, dead_lettered = _gauges(registry), _dead_letter_counter(registry)
    for runtime in runtimes:
        name = runtime.service.name
        gauges["ready"].labels(name).set(0 if runtime.not_ready_reasons() else 1)
        with runtime.reading() as session:
            depths = count(session)
        gauges["outbox"].labels(name).set(depths.unpublished)
        for status, number in depths.inbox.items():
            gauges["inbox"].labels(name, status).set(number)
        for status, number in depths.notifications.items():
            gauges["notifications"].labels(name, status).set(number)
        for reason, number in runtime.engine.dead_letters.counts.items():
            dead_lettered.labels(name, reason).inc(number)
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
