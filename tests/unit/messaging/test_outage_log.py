"""What is logged while a broker is away."""

from collections.abc import MutableMapping
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from shared.messaging.rabbitmq.outage_log import OutageLog

THREE = ("publisher", "consumer", "dead-letter consumer")


class Clock:
    """A clock that is put forward by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def outages(clock: Clock) -> OutageLog:
    """A service's, whose three connections are there for the first time."""
    outages = OutageLog(structlog.get_logger(), clock)
    for name in THREE:
        outages.expect(name)
    with capture_logs() as logs:
        for name in THREE:
            outages.ready(name)
    assert events(logs) == ["broker_connected"]
    clock.now += 3600
    return outages


def events(logs: list[MutableMapping[str, Any]]) -> list[str]:
    return [line["event"] for line in logs]


def test_ten_minutes_without_a_broker_are_eleven_lines_and_one_when_it_is_back(
    outages: OutageLog, clock: Clock
) -> None:
    with capture_logs() as logs:
        # Given a broker that goes away, When each connection tries again every five seconds,
        for name in THREE:
            outages.failed("broker_connection_lost", name)
        for _ in range(120):
            clock.now += 5
            for name in THREE:
                outages.failed("broker_unreachable", name)
        # Then it is told at once and once a minute,
        assert events(logs) == ["broker_connection_lost", *["broker_unreachable"] * 10]
        # with how often it was tried in vain;
        assert [line["failures"] for line in logs[:2]] == [1, 2 + 12 * 3 - 2]
        # and once when all is there again.
        for name in THREE:
            outages.ready(name)
    assert events(logs)[11:] == ["broker_connected"]


def test_one_that_comes_and_goes_is_not_told_each_time(outages: OutageLog, clock: Clock) -> None:
    # Given a consumer that is thrown out as soon as it has subscribed,
    with capture_logs() as logs:
        for _ in range(100):
            outages.failed("broker_channel_closed", "consumer")
            clock.now += 0.5
            outages.ready("consumer")
    # Then within a minute that is told once, and once that it came back.
    assert events(logs) == ["broker_channel_closed", "broker_connected"]


def test_a_second_outage_is_told_at_once(outages: OutageLog, clock: Clock) -> None:
    # Given a broker that was away, and has been there for a while,
    outages.failed("broker_connection_lost", "consumer")
    outages.ready("consumer")
    clock.now += 15
    # When it goes again, Then that is told although the minute is not over.
    with capture_logs() as logs:
        outages.failed("broker_connection_lost", "consumer")
        outages.ready("consumer")
    assert events(logs) == ["broker_connection_lost", "broker_connected"]


def test_a_channel_that_the_broker_closes_is_told_however_lately_a_connection_was_lost(
    outages: OutageLog, clock: Clock
) -> None:
    with capture_logs() as logs:
        # Given a connection that was lost and is back, When a moment later its channel is closed,
        outages.failed("broker_connection_lost", "consumer")
        outages.ready("consumer")
        clock.now += 2
        outages.failed("broker_channel_closed", "consumer", reason="not acknowledged in time")
        # Then why is told: it is another failure.
        assert [line.get("reason") for line in logs][-1] == "not acknowledged in time"
        # When it is closed again and again, Then not each time.
        for _ in range(10):
            outages.ready("consumer")
            clock.now += 2
            outages.failed("broker_channel_closed", "consumer")
        assert events(logs).count("broker_channel_closed") == 1
