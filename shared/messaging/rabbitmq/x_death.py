"""What RabbitMQ tells of a message that it dead-lettered: the header `x-death`, newest first."""

from collections.abc import Mapping
from dataclasses import replace

from shared.messaging.bus import BROKER_HEADERS, Incoming

REASONS = {
    "delivery_limit": "it was delivered again and again, and never acknowledged",
    "rejected": "somebody else who read the queue rejected it",
    "expired": "it waited longer than the broker keeps it",
    "maxlen": "its queue was full",
}


def read_x_death(incoming: Incoming) -> Incoming:
    """The message as its publisher sent it, with the reason why the broker dead-lettered it.

    Where the header is missing or is not as RabbitMQ writes it, the message is taken as it is. Its
    publisher may have sent such a header along, and RabbitMQ before 4.0 writes into what it finds:
    the exchange is taken from an entry that stands there alone, for one death. One that could still
    pass for that is refused at its first delivery (`Decoder`), before it can be dead-lettered.
    """
    death = _latest_entry(incoming.headers)
    reason = str(death.get("reason", "unknown"))
    keys = death.get("routing-keys")
    return replace(
        incoming,
        exchange=_exchange(incoming.headers, death),
        routing_key=str(keys[0]) if isinstance(keys, list) and keys else incoming.routing_key,
        headers={k: v for k, v in incoming.headers.items() if not k.startswith(BROKER_HEADERS)},
        dead_lettered=REASONS.get(reason, f"its reason is {reason[:80]}"),
    )


def _exchange(headers: Mapping[str, object], death: Mapping[str, object]) -> str:
    """The exchange that it was published to; empty, as if by none, where that may be forged.

    No message of ours dies twice: a queue of the dead passes nothing on.
    """
    entries = headers.get("x-death")
    exchange = death.get("exchange")
    alone = isinstance(entries, list) and len(entries) == 1 and death.get("count") == 1
    return exchange if alone and isinstance(exchange, str) else ""


def _latest_entry(headers: Mapping[str, object]) -> Mapping[str, object]:
    entries = headers.get("x-death")
    latest = entries[0] if isinstance(entries, list) and entries else None
    return latest if isinstance(latest, dict) else {}
