"""Whether anything that was set on the broker can lose a message, as its management tells."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infra.composition import topology
from infra.operations.doctor.finding import Finding
from infra.operations.doctor.losses import differences, exchange_losses, losses
from infra.operations.doctor.policies_in_force import Row, merge, policy_in_force
from infra.operations.topology.present import known_offices
from shared.host.settings import Settings
from shared.messaging.topology import Topology
from shared.messaging.topology.management import Management
from shared.messaging.topology.policies import policies as our_policies

STATISTICS_SECONDS = 12.0
"""How long the management interface takes at most to tell of a queue which policy holds for it."""
LOOK_AGAIN_SECONDS = 1.0

APPLY = "run `stappenplan topology apply` with STAPPENPLAN_MANAGEMENT_URL set"
UNDO = (
    f"{APPLY}: its policies go before others'. An operator policy, or one of a still higher "
    "priority, must be taken away by whoever made it (`rabbitmqctl clear_operator_policy NAME`)"
)
DECLARED_OTHERWISE = (
    "let its messages be handled or move them away, delete it, and run `stappenplan topology apply`"
)

Lost = dict[str, list[str]]
"""The names of those that lose messages, by the sentence that says how."""


def policies(settings: Settings) -> Iterator[Finding]:
    """The broker's policies, and how our queues and exchanges were declared."""
    if settings.embedded:
        return
    if not settings.management_url:
        yield Finding(
            "policies",
            True,
            "not looked at: whether a policy of somebody else's empties a queue, or a queue was "
            "declared otherwise, is told by RabbitMQ's management alone; set "
            "STAPPENPLAN_MANAGEMENT_URL to have it looked at",
        )
        return
    wanted = topology(settings).with_offices(known_offices(settings))
    management = Management(settings.management_url, settings.broker_url)
    yield from _declared(wanted, management)
    lost = _lost(wanted, management)
    if lost:
        told = "; ".join(f"{how} ({', '.join(names)})" for how, names in lost.items())
        yield Finding("policies", False, told, UNDO)
        return
    yield _ours(wanted, management)


def _ours(wanted: Topology, management: Management) -> Finding:
    """Whether our own policies are there: without them the next `.*` of somebody holds for us."""
    there = {row["name"]: row for row in management.rows("policies")}
    lacking = [
        policy["name"]
        for policy in our_policies(wanted)
        if any(there.get(policy["name"], {}).get(part) != value for part, value in policy.items())
    ]
    if not lacking:
        return Finding("policies", True, "nothing that is set can lose a message")
    told = (
        "nothing that is set can lose a message now, but nothing keeps others' policies from ours: "
        f"{', '.join(lacking)} is not set as it should be"
    )
    return Finding("policies", True, told, APPLY, warning=True)


def _declared(wanted: Topology, management: Management) -> Iterator[Finding]:
    """What was declared by somebody else, and otherwise."""
    for kind, expected in (("queue", _queues(wanted)), ("exchange", _exchanges(wanted))):
        for row in management.rows(f"{kind}s"):
            if row["name"] in expected:
                found = [*differences(expected[row["name"]], row)]
                if found:
                    told = f"the {kind} {row['name']}: {'; '.join(found)}"
                    yield Finding("declared", False, told, DECLARED_OTHERWISE)


def _queues(wanted: Topology) -> dict[str, dict[str, Any]]:
    lasting = {"type": "quorum", "durable": True, "auto_delete": False, "exclusive": False}
    return {name: {**lasting, "arguments": arguments} for name, arguments in wanted.queues()}


def _exchanges(wanted: Topology) -> dict[str, dict[str, Any]]:
    lasting = {"type": "topic", "durable": True, "auto_delete": False, "internal": False}
    return {name: {**lasting, "arguments": {}} for name in wanted.exchanges()}


def _lost(wanted: Topology, management: Management) -> Lost:
    """What can be lost; looked at again while the broker says otherwise than its policies do."""
    deadline = time.monotonic() + STATISTICS_SECONDS
    while True:
        policies, operators = management.rows("policies"), management.rows("operator-policies")
        queues = [row for row in management.rows("queues") if row["name"] in dict(wanted.queues())]
        lost: Lost = {}
        agreed = [_queue(lost, row, policies, operators) for row in queues]
        _exchange_policies(lost, wanted, management, policies)
        if lost or all(agreed):
            return lost
        if time.monotonic() > deadline:
            return _as_told(queues)
        time.sleep(LOOK_AGAIN_SECONDS)  # Its statistics come late, and nothing tells when.


def _queue(lost: Lost, queue: Row, policies: Sequence[Row], operators: Sequence[Row]) -> bool:
    """Note what is lost of a queue's; whether the broker names the policies that we do."""
    policy = policy_in_force(policies, queue, queue.get("policy"))
    operator = policy_in_force(operators, queue, queue.get("operator_policy"))
    merged = merge(policy, operator)
    for how in losses(queue["arguments"], merged):
        lost.setdefault(f"{_named(policy, operator)}: {how}", []).append(queue["name"])
    told = (queue.get("policy") or None, queue.get("operator_policy") or None)
    return told == (_name(policy), _name(operator))


def _as_told(queues: Sequence[Row]) -> Lost:
    """What is lost by what the broker itself says holds for each queue."""
    lost: Lost = {}
    for queue in queues:
        for how in losses(queue["arguments"], queue.get("effective_policy_definition") or {}):
            lost.setdefault(f"the policy {queue.get('policy')}: {how}", []).append(queue["name"])
    return lost


def _exchange_policies(
    lost: Lost, wanted: Topology, management: Management, policies: Sequence[Row]
) -> None:
    definitions: Mapping[str, Any] = {row["name"]: row["definition"] for row in policies}
    for row in management.rows("exchanges"):
        if row["name"] in wanted.exchanges():
            for how in exchange_losses(definitions.get(row.get("policy", ""), {})):
                lost.setdefault(f"the policy {row['policy']}: {how}", []).append(row["name"])


def _name(policy: Row | None) -> str | None:
    return None if policy is None else str(policy["name"])


def _named(policy: Row | None, operator: Row | None) -> str:
    names = [
        f"the {kind} {each['name']}"
        for kind, each in (("policy", policy), ("operator policy", operator))
        if each is not None
    ]
    return " with ".join(names)
