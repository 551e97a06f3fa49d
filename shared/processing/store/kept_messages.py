"""A message in the columns that keep it as it came, and back."""

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any

from shared.messaging.bus import BROKER_HEADERS, Incoming
from shared.processing.store.tables import Inbox
from shared.trade.discretion import without_citizen_numbers

REFUSED = "refused/"
"""How the ids of messages begin that were not taken under their own id."""

MAX_ERROR_CHARACTERS = 4000

NUL_IN_JSON = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""NUL as JSON writes it; after an odd number of backslashes the same letters are a text's own."""


def to_columns(incoming: Incoming) -> dict[str, Any]:
    """The columns that keep a message as it came; see `to_incoming`."""
    properties = {
        "routing_key": incoming.routing_key,
        "content_type": incoming.content_type,
        "headers": _kept_headers(incoming),
        "message_id": incoming.message_id,
        "type": incoming.type,
        "user_id": incoming.user_id,
    }
    exchange = None if incoming.exchange is None else storable(incoming.exchange)[:255]
    return {"body": incoming.body, "properties": ascii_json(properties), "exchange": exchange}


def to_refused_columns(incoming: Incoming) -> dict[str, Any]:
    """The columns that keep a message that was refused: as it came, but for citizen numbers."""
    columns = to_columns(incoming)
    return columns | {"body": without_citizen_numbers(incoming.body)}


def to_incoming(row: Inbox) -> Incoming:
    """The message as it came, from a row that keeps it."""
    properties = json.loads(row.properties or "{}")
    return Incoming(body=row.body or b"", exchange=row.exchange, **properties)


def fingerprint(incoming: Incoming) -> str:
    """The hash by which a message is known however often it comes, and when it is read again."""
    named = (incoming.routing_key, incoming.content_type or "", incoming.user_id or "")
    parts = [name.replace("\0", "�") for name in named]
    if incoming.exchange:
        parts.append(storable(incoming.exchange)[:255])
    sent = {k: v for k, v in _kept_headers(incoming).items() if not k.startswith(BROKER_HEADERS)}
    parts.extend(f"{name}={value!r}" for name, value in sorted(sent.items()))
    if incoming.damage is not None:
        # What was not kept of it may be all that tells it from another.
        parts.append(incoming.damage)
    contents = "\n".join(parts).encode("utf-8", "replace") + b"\0" + incoming.body
    return hashlib.sha256(contents).hexdigest()


def storable(text: str) -> str:
    """Text that every database takes: no NUL, no lone surrogate, not endless."""
    return text.replace("\0", "�").encode("utf-8", "replace").decode()[:MAX_ERROR_CHARACTERS]


def ascii_json(value: object) -> str:
    """JSON in ASCII, in which no database finds anything to object to."""
    text = json.dumps(value, ensure_ascii=True)
    return NUL_IN_JSON.sub(r"\1\\ufffd", text) if "\\u0000" in text else text


def _kept_headers(incoming: Incoming) -> dict[str, object]:
    return {storable(str(name)): _kept(value) for name, value in incoming.headers.items()}


def _kept(value: object) -> object:
    """A header's value in JSON, such that the envelope reads the same in it again."""
    if isinstance(value, bytes):
        return storable(value.decode("utf-8", "replace"))
    if isinstance(value, datetime):
        # An AMQP timestamp has no zone of its own: it is in UTC.
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, str):
        return value.replace("\0", "�")
    return value if isinstance(value, int | None) else storable(repr(value))
