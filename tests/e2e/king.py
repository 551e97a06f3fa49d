"""What KING reports of money: an event in good order, and how it comes to billing."""

import json
from typing import Any
from uuid import uuid4

from shared.events.envelope import CONTENT_TYPE
from shared.messaging.bus import Outgoing
from tests.e2e.stage import Stage

Event = dict[str, Any]


def collection_result(about: str = "", **data: Any) -> Event:
    """That a euro came for an order that nobody knows, with what a test has KING say otherwise.

    It is about somebody whom nobody knows either, unless it says whom.
    """
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "/king-billing",
        "type": "collection.result.v1",
        "subject": about or str(uuid4()),
        "time": "2026-01-20T05:00:00Z",
        "data": {
            "order_reference": "O-2026-999999",
            "end_to_end_id": "O-2026-999999-1",
            "attempt": 1,
            "amount_cents": 100,
            "currency": "EUR",
            "status": "succeeded",
            "occurred_at": "2026-01-20T05:00:00Z",
            **data,
        },
    }


def say(stage: Stage, event: Event) -> None:
    """KING publishes an event, and the broker has confirmed it."""
    body = json.dumps(event).encode()
    message = Outgoing(event["id"], event["type"], body, content_type=CONTENT_TYPE)
    stage.line.publish([message]).result(20)
