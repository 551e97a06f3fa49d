"""A fault in the thread of the connections passes: afterwards all is said and heard as before."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.messaging.bus import Bus, PublishResult
from shared.messaging.rabbitmq import RabbitBus, publisher
from shared.messaging.rabbitmq.publisher import ConfirmingPublisher
from shared.messaging.rabbitmq.reconnecting_channel import ReconnectingChannel
from shared.messaging.topology.declare import apply
from tests.integration.bus.buses import TOPOLOGY, RabbitBuses, message
from tests.servers.premises import wait_until

CONFIRMED = [PublishResult.CONFIRMED]
Fail = Callable[..., None]


@pytest.fixture
def fail_once(monkeypatch: pytest.MonkeyPatch) -> Fail:
    """Has a part of somebody fail the first time that it is used, for want of memory."""

    def fail_once(owner: Any, name: str, whose: object = None) -> None:
        part = getattr(owner, name)
        came: list[bool] = []

        def failing(*given: Any, **named: Any) -> Any:
            if not came and (whose is None or given[0] is whose):
                came.append(True)
                raise MemoryError
            return part(*given, **named)

        monkeypatch.setattr(owner, name, failing)

    return fail_once


def test_it_publishes_again_when_a_message_could_not_be_made_ready(
    rabbit: RabbitBuses, fail_once: Fail
) -> None:
    # Given a publisher that fails as it is handed something,
    speaker = rabbit.open()
    rabbit.open("signup")
    fail_once(publisher, "Pending")
    with pytest.raises(MemoryError):
        speaker.publish([message()])
    # When it is handed the next, Then that is published.
    assert speaker.publish([message()]).result(10) == CONFIRMED


def test_what_was_handed_over_is_published_when_its_taking_failed(
    rabbit: RabbitBuses, fail_once: Fail
) -> None:
    speaker = rabbit.open()
    rabbit.open("signup")
    fail_once(ConfirmingPublisher, "_take_handed_off")
    # When it is handed something, Then there is an answer, and the next is published.
    assert len(speaker.publish([message()]).result(10)) == 1
    wait_until(lambda: is_published(speaker), "the next is published", 15)


@pytest.mark.parametrize("part", ["_connection_gone", "_failed"])
def test_a_connection_whose_end_was_not_dealt_with_is_made_anew(
    rabbit: RabbitBuses, fail_once: Fail, part: str
) -> None:
    # Given a service that fails just as it hears that its connection is gone,
    bus = rabbit.open("signup")
    assert isinstance(bus, RabbitBus)
    assert bus._consumer is not None
    line = bus._consumer.connection
    fail_once(ReconnectingChannel, part, line)
    before = line._connection
    bus._ioloop.add_callback_threadsafe(line.abort)
    # Then it is back before long.
    wait_until(lambda: line._connection is not before and bus.healthy(), "it is back", 15)


def test_it_connects_although_the_first_try_could_not_begin(vhost: str, fail_once: Fail) -> None:
    apply(TOPOLOGY.with_offices(["0042"]), vhost)
    fail_once(ReconnectingChannel, "connect")
    bus = RabbitBus(vhost, queue="signup", name="signup")
    bus.open()
    try:
        wait_until(bus.healthy, "it is connected", 15)
    finally:
        bus.close()


def test_a_loop_that_cannot_begin_tries_again_at_leisure(
    rabbit: RabbitBuses, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a service that has a fault, and too many files open to begin anew at once,
    bus = rabbit.open()
    rabbit.open("signup")
    assert isinstance(bus, RabbitBus)
    told: list[str] = []
    monkeypatch.setattr(bus, "_log", Log(told))
    poller = bus._ioloop._poller
    refusals, activate = [OSError(24, "Too many open files")] * 2, poller.activate_poller

    def activate_perhaps() -> None:
        if refusals:
            raise refusals.pop()
        activate()

    monkeypatch.setattr(poller, "activate_poller", activate_perhaps)
    bus._ioloop.add_callback_threadsafe(_break_off)
    # Then it begins as soon as it can, without filling a disk with what it has to say of it.
    wait_until(lambda: not refusals and is_published(bus), "it is back", 15)
    assert len(told) == 3


def is_published(bus: Bus) -> bool:
    return bus.publish([message()]).result(10) == CONFIRMED


class Log:
    """What the bus tells of its faults."""

    def __init__(self, told: list[str]) -> None:
        self._told = told

    def exception(self, event: str) -> None:
        self._told.append(event)


def _break_off() -> None:
    raise MemoryError
