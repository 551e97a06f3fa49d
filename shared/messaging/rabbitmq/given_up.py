"""What RabbitMQ tells of a message that it gave up: the header `x-death`, newest entry first."""

from collections.abc import Mapping
from dataclasses import replace

from shared.messaging.bus import TRACES, Incoming

REASONS = {
    "delivery_limit": "it was delivered again and again, and no consumer survived it",
    "rejected": "a consumer rejected it",
    "expired": "it waited longer than the broker keeps it",
    "maxlen": "its queue was full",
}


def as_given_up(incoming: Incoming) -> Incoming:
    """The message as its publisher sent it, with the reason why the broker gave it up.

    Where the header is missing or is not as RabbitMQ writes it, the message is taken as it is.
    """
    death = _last_death(incoming.headers)
    reason = str(death.get("reason", "unknown"))
    keys = death.get("routing-keys")
    came_by = str(keys[0]) if isinstance(keys, list) and keys else incoming.routing_key
    headers = {k: v for k, v in incoming.headers.items() if not k.startswith(TRACES)}
    told = REASONS.get(reason, f"its reason is {reason[:80]}")
    return replace(incoming, routing_key=came_by, headers=headers, given_up=told)


def _last_death(headers: Mapping[str, object]) -> Mapping[str, object]:
    deaths = headers.get("x-death")
    last = deaths[0] if isinstance(deaths, list) and deaths else None
    return last if isinstance(last, dict) else {}
