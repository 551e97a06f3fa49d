"""How much a service has in hand of what RabbitMQ delivers, which counts messages and no bytes."""

import time

from structlog.testing import capture_logs

from shared.messaging.bus import Incoming, PublishResult
from shared.messaging.rabbitmq import RabbitBus
from shared.messaging.rabbitmq.prefetch import FIRST_PREFETCH
from shared.messaging.rabbitmq.publisher import MAX_PENDING_BYTES
from tests.integration.bus.buses import RabbitBuses, collect, message, messages
from tests.integration.bus.foreign import events
from tests.servers.premises import LOOPBACK, free_ports, wait_until

MEGABYTE = 1_000_000
BOUND = 4 * MEGABYTE
LARGE = "x" * 900_000


def publish_large(rabbit: RabbitBuses, count: int) -> None:
    website = rabbit.open()
    for _ in range(count):
        assert website.publish([message(LARGE)]).result(10) == [PublishResult.CONFIRMED]


def test_it_reads_no_further_with_too_much_in_hand_and_keeps_its_connection(
    rabbit: RabbitBuses,
) -> None:
    # Given more large messages than may be in hand, and a broker that gives up who is silent
    publish_large(rabbit, 16)
    with capture_logs() as logs:
        signup = rabbit.open("signup", in_hand_bytes=BOUND, heartbeat=1)
        # When the service deals with nothing for longer than any heartbeat allows,
        batch = signup.receive(2, wait=10, linger=0)
        wait_until(lambda: signup.in_hand.full, "its hands are full", 10)
        time.sleep(7)  # The heartbeat, and the five seconds that pika adds.
        # Then it has read no further,
        assert signup.in_hand.peak < BOUND + 2 * MEGABYTE
        # and as soon as it has dealt with some, the rest comes, by the very same connection.
        signup.acknowledge(batch)
        rest = collect(signup, 16 - len(batch))
    assert not any(each.redelivered for each in rest)
    assert events(logs).count("broker_connection_lost") == 0
    assert signup.silent_for() < 5
    assert signup.in_hand.number == 0


def test_it_stops_at_once_with_its_hands_full(rabbit: RabbitBuses) -> None:
    # Given a service that reads no further
    publish_large(rabbit, 12)
    signup = rabbit.open("signup", in_hand_bytes=BOUND)
    wait_until(lambda: signup.in_hand.full, "its hands are full", 10)
    # When it stops, Then it need not be broken off,
    began = time.monotonic()
    signup.close()
    assert time.monotonic() - began < 1.5
    # and all of it comes to the next, which gets it as what may have been in other hands.
    received = collect(rabbit.open("signup"), 12)
    assert any(each.redelivered for each in received)


def test_it_gives_all_back_with_its_hands_full(rabbit: RabbitBuses) -> None:
    # Given a service that reads no further
    publish_large(rabbit, 12)
    signup = rabbit.open("signup", in_hand_bytes=BOUND)
    wait_until(lambda: signup.in_hand.full, "its hands are full", 10)
    # When it pauses, Then it holds nothing,
    signup.pause()
    wait_until(lambda: signup.in_hand.number == 0, "nothing is in hand", 10)
    # and another service may have it all.
    collect(rabbit.open("signup"), 12)
    signup.resume()
    assert signup.receive(1, wait=0.3, linger=0) == []


def all_at_once(bus: object, most: int) -> list[Incoming]:
    received: list[Incoming] = []
    while batch := bus.receive(most, wait=1.0, linger=0):  # type: ignore[attr-defined]
        received += batch
    return received


def test_few_are_in_hand_until_some_were_dealt_with(rabbit: RabbitBuses) -> None:
    # Given more messages than are in hand at first
    rabbit.open().publish(messages(300)).result(10)
    signup = rabbit.open("signup")
    # When none is dealt with, Then no more come: they may be what kills the process.
    first = all_at_once(signup, 200)
    assert len(first) == FIRST_PREFETCH
    # When those are, Then all the others come at once.
    signup.acknowledge(first)
    assert len(all_at_once(signup, 200)) == 300 - FIRST_PREFETCH


def test_few_are_in_hand_again_when_they_become_large(rabbit: RabbitBuses) -> None:
    # Given a service that has dealt with small messages, and may have many in hand
    rabbit.open().publish(messages(100)).result(10)
    signup = rabbit.open("signup")
    collect(signup, 100)
    # When large ones come, Then it soon has less of them delivered: what it does not read waits
    # in the broker's memory.
    publish_large(rabbit, 60)
    in_hand = all_at_once(signup, 200)
    assert len(in_hand) < 50
    # None is lost by that, and none comes twice.
    signup.acknowledge(in_hand)
    collect(signup, 60 - len(in_hand))
    assert signup.receive(1, wait=0.3, linger=0) == []


def test_what_waits_to_be_published_is_bounded_by_bytes_too() -> None:
    # Given a service whose broker is away
    (port,) = free_ports(1)
    bus = RabbitBus(f"amqp://guest:guest@{LOOPBACK}:{port}/", queue=None, name="signup")
    bus.open()
    # When it says more than memory is to hold, Then what is too much is sent away at once,
    number = MAX_PENDING_BYTES // len(LARGE) + 1
    futures = [bus.publish([message(LARGE)]) for _ in range(number + 3)]
    assert [future.done() for future in futures] == [False] * number + [True] * 3
    assert futures[-1].result() == [PublishResult.UNKNOWN]
    # and there is room again once what waited has had its time.
    assert futures[0].result(20) == [PublishResult.UNKNOWN]
    wait_until(lambda: not bus.publish([message("small")]).done(), "there is room", 10)
    bus.close()
