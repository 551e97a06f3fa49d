"""An event as it arrives: in good order, or changed in what a test is about."""

import json
from dataclasses import replace
from typing import Any

from shared.events.envelope import CONTENT_TYPE
from shared.messaging.bus import Incoming

ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
SUBJECT = "3f2c8a10-6b1d-4e57-9a44-0c5d7e9b1a01"
TYPE = "customer.released.v1"
LETTER: dict[str, Any] = {
    "specversion": "1.0",
    "id": ID,
    "source": "/services/billing",
    "type": TYPE,
    "subject": SUBJECT,
    "time": "2026-11-24T09:30:00Z",
    "data": {"order_reference": "O-2026-000123", "revision": 3},
}


def arriving(document: Any, **changes: Any) -> Incoming:
    return replace(Incoming(json.dumps(document).encode(), TYPE, CONTENT_TYPE), **changes)
