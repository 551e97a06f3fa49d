"""KING's stand-in: when it reports, and what it does with what asks for nothing it can do."""

import json
from concurrent.futures import Future
from datetime import timedelta
from typing import Any, cast

import pytest

from infra.demo.simulators.fates import PAID, Report
from infra.demo.simulators.king import KingBilling
from shared.events.envelope import CONTENT_TYPE
from shared.messaging.bus import EXCHANGE, Bus, Incoming, Outgoing, PublishResult
from tests.contract.test_golden_events import GOLDEN


class Line:
    """A line on which these messages wait, and the end after them."""

    def __init__(self, *waiting: Incoming) -> None:
        self.waiting = list(waiting)
        self.acknowledged: list[Incoming] = []
        self.published: list[tuple[str, int]] = []
        """Each status that was reported, and how many requests were done with by then."""
        self.king: KingBilling | None = None

    def receive(self, _limit: int, wait: float, linger: float) -> list[Incoming]:
        if not self.waiting and self.king is not None and not self.king._later:
            self.king._stopping.set()
        return [self.waiting.pop(0)] if self.waiting else []

    def acknowledge(self, messages: list[Incoming]) -> None:
        self.acknowledged += messages

    def publish(self, messages: list[Outgoing]) -> "Future[list[PublishResult]]":
        for message in messages:
            status = json.loads(message.body)["data"]["status"]
            self.published.append((status, len(self.acknowledged)))
        confirmed: Future[list[PublishResult]] = Future()
        confirmed.set_result([PublishResult.CONFIRMED] * len(messages))
        return confirmed


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


COLLECT = json.loads((GOLDEN / "collection.requested.v1.json").read_bytes())["data"]


def test_what_comes_later_is_reported_later_and_only_then_is_the_request_done_with() -> None:
    # Given an account whose payer has the money back some time after it was collected,
    refund = Report("refunded", "MD06", timedelta(milliseconds=30))
    message = request(COLLECT)
    line = Line(message)
    king = line.king = KingBilling(cast(Bus, line), lambda _request: (*PAID, refund))
    # When KING is asked to collect,
    king._run()
    # Then it reports all three, and would be asked again if it ended before the last of them.
    assert line.published == [("submitted", 0), ("succeeded", 0), ("refunded", 0)]
    assert line.acknowledged == [message]


def test_of_an_account_that_is_fated_to_silence_nothing_is_reported() -> None:
    mandate = COLLECT["mandate"] | {"iban": "NL45ABNA0040000028"}
    message = request(COLLECT | {"mandate": mandate})
    line = Line(message)
    king = line.king = KingBilling(cast(Bus, line))
    king._run()
    assert line.published == []
    assert line.acknowledged == [message]
    assert len(king.requests) == 1
