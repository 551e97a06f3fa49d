"""KING's stand-in: what it does with a message that asks for nothing it can do."""

import json
from typing import Any, cast

import pytest

from infra.demo.simulators.king import KingBilling
from shared.events.envelope import CONTENT_TYPE
from shared.messaging.bus import EXCHANGE, Bus, Incoming


class Line:
    """A line on which these messages wait, and the end after them."""

    def __init__(self, *waiting: Incoming) -> None:
        self.waiting = list(waiting)
        self.acknowledged: list[Incoming] = []
        self.king: KingBilling | None = None

    def receive(self, _limit: int, wait: float, linger: float) -> list[Incoming]:
        if not self.waiting and self.king is not None:
            self.king._stopping.set()
        return [self.waiting.pop(0)] if self.waiting else []

    def acknowledge(self, messages: list[Incoming]) -> None:
        self.acknowledged += messages


def request(data: dict[str, Any]) -> Incoming:
    document = {
        "specversion": "1.0",
        "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
        "source": "/services/billing",
        "type": "collection.requested.v1",
        "subject": "3f2c8a10-6b1d-4e57-9a44-0c5d7e9b1a01",
        "time": "2026-11-24T09:30:00Z",
        "data": data,
    }
    body = json.dumps(document).encode()
    return Incoming(
        body, "collection.requested.v1", CONTENT_TYPE, exchange=EXCHANGE, user_id="billing"
    )


@pytest.mark.parametrize("strict", [True, False])
def test_a_request_that_cannot_be_read_is_refused_and_the_next_is_taken(strict: bool) -> None:
    # Given two messages that ask for a collection and do not say which,
    messages = request({}), request({"order_reference": "O-1"})
    line = Line(*messages)
    king = line.king = KingBilling(cast(Bus, line), strict=strict)
    # When KING's stand-in reads them, Then each is refused with its reason, and it goes on.
    king._run()
    assert line.acknowledged == list(messages)
    assert [reason.partition(":")[0] for reason in king.refusals] == ["its data cannot be read"] * 2
    assert king.requests == []
