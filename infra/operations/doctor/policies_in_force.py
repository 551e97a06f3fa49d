"""Which policies hold for a queue: computed, since the management interface tells it late.

It says of each queue what holds for it (`effective_policy_definition`), but up to ten seconds
after a policy was made. The policies themselves it knows at once.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.messaging.topology.patterns import matches

Row = Mapping[str, Any]

NOT_FOR_QUORUM = frozenset(
    {
        "ha-mode",
        "ha-params",
        "ha-sync-mode",
        "ha-promote-on-shutdown",
        "ha-promote-on-failure",
        "queue-mode",
        "queue-master-locator",
        "max-age",
        "stream-max-segment-size-bytes",
    }
)
"""With any of these in it RabbitMQ passes over a whole policy for a quorum queue (run on 3.10)."""


def policy_in_force(policies: Iterable[Row], queue: Row, told: str | None) -> Row | None:
    """The one of these policies that holds for a queue: that with the highest priority.

    Of several with the same one RabbitMQ takes any: that is the one that it `told`, if it did.
    """
    holding = [policy for policy in policies if _is_for(policy, queue)]
    highest = max((policy["priority"] for policy in holding), default=None)
    best = [policy for policy in holding if policy["priority"] == highest]
    named = (policy for policy in best if policy["name"] == told)
    return next(named, best[0] if best else None)


def _is_for(policy: Row, queue: Row) -> bool:
    kind = queue.get("type", "quorum")
    if kind == "quorum" and NOT_FOR_QUORUM & policy["definition"].keys():
        return False
    applies = policy["apply-to"] in ("all", "queues", f"{kind}_queues")
    return applies and matches(policy["pattern"], queue["name"])


def merge(policy: Row | None, operator: Row | None) -> dict[str, Any]:
    """What both say together: where both set a number, the smaller one holds."""
    merged = dict(policy["definition"]) if policy else {}
    for key, value in (operator["definition"] if operator else {}).items():
        known = merged.get(key)
        merged[key] = min(known, value) if isinstance(known, int) else value
    return merged
