"""Our own policies: they keep everybody else's away from our queues and exchanges.

Of all policies that match a queue RabbitMQ applies the one with the highest priority, and that one
alone. Without ours, a `.*` that somebody set for queues of their own would empty these too. So
ours match exactly what is ours, go before any other, and say each thing that could lose a message.
An operator policy cannot be kept away: RabbitMQ adds it to whichever policy holds. But one that
caps a queue makes it refuse what is too much, as ours say, and not drop it; and what else one can
do, the doctor sees.
"""

from collections.abc import Iterator
from typing import Any

from shared.messaging.topology.patterns import exactly
from shared.messaging.topology.topology import MAX_LENGTH, Topology

PRIORITY = 1_000_000
"""Above whatever a person would think of."""

MAX_QUEUE_BYTES = 2 * 1024**3
"""How much may wait in a queue that outsiders fill; then their publishers are refused, and nobody
else's disk runs full."""

LIMITS_POLICY = "stappenplan-limits"
QUEUES_POLICY = "stappenplan-queues"
DEAD_POLICY = "stappenplan-dead"
EXCHANGES_POLICY = "stappenplan-exchanges"

REFUSE = {"overflow": "reject-publish"}
"""What is too much is refused, and stays with whoever has it; RabbitMQ would drop the oldest."""


def policies(topology: Topology) -> Iterator[dict[str, Any]]:
    """A policy for each queue and exchange of ours.

    Limits stand here, since a policy can be changed in place and arguments cannot. Where nothing is
    to be set there is `overflow` alone: RabbitMQ takes no empty policy, and an exchange does not
    mind. Nothing is for quorum queues alone, such as `delivery-limit`: RabbitMQ would pass over the
    whole policy for a queue of another type.
    """
    bounded = {"max-length": MAX_LENGTH, **REFUSE}
    filled = topology.filled_from_outside()
    others = [each.name for each in topology.listeners if each.name not in filled]
    dead = [each.dead for each in topology.listeners]
    limits = {**bounded, "max-length-bytes": MAX_QUEUE_BYTES}
    rows = (
        (LIMITS_POLICY, "queues", filled, limits),
        (QUEUES_POLICY, "queues", others, bounded),
        (DEAD_POLICY, "queues", dead, REFUSE),
    )
    for name, kind, queues, definition in rows:
        if queues:
            yield _policy(name, exactly(*queues), kind, definition)
    # Whatever the offices: one that is added later has its exchange covered at once.
    yield _policy(EXCHANGES_POLICY, r"^stappenplan\.", "exchanges", REFUSE)


def _policy(name: str, pattern: str, kind: str, definition: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "pattern": pattern,
        "apply-to": kind,
        "priority": PRIORITY,
        "definition": definition,
    }
