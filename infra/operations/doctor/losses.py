"""What of a broker's settings can lose a message, or take it where nobody of ours looks."""

from collections.abc import Iterator, Mapping
from typing import Any

Settings = Mapping[str, Any]

REFUSES = "reject-publish"
NOWHERE_ELSE = ("federation-upstream", "federation-upstream-set", "federation-upstream-pattern")
ELSEWHERE = ("dead-letter-exchange", "dead-letter-routing-key")


def losses(arguments: Settings, policy: Settings) -> Iterator[str]:
    """What a queue's policies do to it, in words; nothing where no message can be lost.

    Of numbers that argument and policy both set the smaller one holds. For what is too much
    the policy goes before the argument, for where dead letters go the argument before the policy.
    """
    if "message-ttl" in policy:
        yield f"message-ttl {policy['message-ttl']} throws away what waits for longer"
    if "expires" in policy:
        yield f"expires {policy['expires']} deletes the queue when nobody reads it for so long"
    yield from _too_much(arguments, policy)
    wanted = arguments.get("x-delivery-limit")
    limit = policy.get("delivery-limit")
    if limit is not None and (wanted is None or limit < wanted):
        yield f"delivery-limit {limit} gives up messages that nothing is wrong with"
    for key in ELSEWHERE:
        if key in policy and f"x-{key}" not in arguments:
            yield f"{key} {policy[key]!r} takes its messages elsewhere"
    yield from _federated(policy)


def _too_much(arguments: Settings, policy: Settings) -> Iterator[str]:
    """What happens to what is more than fits."""
    overflow = policy.get("overflow", arguments.get("x-overflow", "drop-head"))
    if overflow == REFUSES:
        return  # Whoever publishes keeps what was refused.
    for key in ("max-length", "max-length-bytes"):
        bounds = [policy.get(key), arguments.get(f"x-{key}")]
        known = [bound for bound in bounds if bound is not None]
        if known:
            yield f"{key} {min(known)} with overflow {overflow} throws away what is more"


def _federated(policy: Settings) -> Iterator[str]:
    for key in NOWHERE_ELSE:
        if key in policy:
            yield f"{key} {policy[key]!r} shares it with another broker"


def exchange_losses(policy: Settings) -> Iterator[str]:
    """What a policy does to an exchange, in words."""
    if "alternate-exchange" in policy:
        yield (
            f"alternate-exchange {policy['alternate-exchange']!r} swallows the events for which no "
            "queue is bound: their speakers are told that they arrived"
        )
    yield from _federated(policy)


def differences(wanted: Settings, row: Settings) -> Iterator[str]:
    """In what a queue or an exchange was declared otherwise than ours are."""
    for name, value in wanted.items():
        if name != "arguments" and row.get(name, value) != value:
            yield f"{name} is {row[name]!r} and not {value!r}"
    ours, theirs = wanted.get("arguments", {}), row.get("arguments", {})
    for name in sorted({*ours, *theirs}):
        if ours.get(name) != theirs.get(name):
            yield f"{name} is {theirs.get(name, 'not set')} and not {ours.get(name, 'unset')}"
