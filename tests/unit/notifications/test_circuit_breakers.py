"""A channel that is left alone for a while: never for longer than its longest pause."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.notifications.delivery.circuit_breakers import CircuitBreakers
from shared.processing.retry_policy import PROVIDER_PAUSES

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Time:
    """A clock that somebody sets, and that goes on by a tick whenever it is looked at."""

    def __init__(self, tick: timedelta = timedelta()) -> None:
        self.now, self.tick = NOON, tick

    def __call__(self) -> datetime:
        self.now += self.tick
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


def test_a_channel_that_fails_is_left_alone_until_its_pause_is_over(time: Time) -> None:
    breakers = CircuitBreakers(time)
    for pause in (*PROVIDER_PAUSES, PROVIDER_PAUSES[-1]):
        breakers.failed("email")
        assert (breakers.open(), breakers.closes_at("email")) == (["email"], time.now + pause)
        time.now += pause
        assert (breakers.open(), breakers.closes_at("email")) == ([], time.now)


def test_a_channel_is_open_to_messages_again_while_time_goes_on() -> None:
    # Given a channel that failed, on a clock that never shows the same moment twice,
    time = Time(tick=timedelta(microseconds=1))
    breakers = CircuitBreakers(time)
    breakers.failed("email")
    assert breakers.open() == ["email"]
    # When its pause is over, Then it is tried.
    time.now += PROVIDER_PAUSES[0]
    assert breakers.open() == []


def test_a_pause_that_was_begun_by_a_clock_that_was_ahead_is_over(time: Time) -> None:
    # Given a channel that failed while the database's clock was an hour ahead,
    breakers = CircuitBreakers(time)
    time.now += timedelta(hours=1)
    breakers.failed("email")
    # When the clock is set right, Then mails need not wait for that hour.
    time.now -= timedelta(hours=1)
    assert (breakers.open(), breakers.closes_at("email")) == ([], NOON)
