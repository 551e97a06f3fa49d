"""What RabbitMQ tells of a message that it dead-lettered: the header `x-death`, newest first."""

from collections.abc import Mapping
from dataclasses import replace

from shared.messaging.bus import BROKER_HEADERS, Incoming

REASONS = {
    "delivery_limit": "it was delivered again and again, and no consumer survived it",
    "rejected": "a consumer rejected it",
    "expired": "it waited longer than the broker keeps it",
    "maxlen": "its queue was full",
}


def read_x_death(incoming: Incoming) -> Incoming:
    """The message as its publisher sent it, with the reason why the broker dead-lettered it.

    Where the header is missing or is not as RabbitMQ writes it, the message is taken as it is.
    """
    death = _latest_entry(incoming.headers)
    reason = str(death.get("reason", "unknown"))
    keys = death.get("routing-keys")
    return replace(
        incoming,
        routing_key=str(keys[0]) if isinstance(keys, list) and keys else incoming.routing_key,
        headers={k: v for k, v in incoming.headers.items() if not k.startswith(BROKER_HEADERS)},
        dead_lettered=REASONS.get(reason, f"its reason is {reason[:80]}"),
    )


def _latest_entry(headers: Mapping[str, object]) -> Mapping[str, object]:
    entries = headers.get("x-death")
    latest = entries[0] if isinstance(entries, list) and entries else None
    return latest if isinstance(latest, dict) else {}
