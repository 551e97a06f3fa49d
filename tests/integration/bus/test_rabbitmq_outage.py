"""A service that can deal with nothing now holds no messages, and so none is blamed for it."""

import threading
from collections.abc import Iterator, Sequence
from functools import partial
from urllib.parse import urlsplit, urlunsplit

import pytest

from shared.base.errors import InfrastructureDown
from shared.messaging.bus import Incoming
from shared.messaging.rabbitmq import RabbitBus
from shared.processing.worker.consumer import CONSUMERS, Consumer
from tests.faults.proxy import Proxy
from tests.integration.bus.buses import SOON, RabbitBuses, messages
from tests.integration.bus.foreign import messages_ready
from tests.servers.premises import LOOPBACK, wait_until


class Shop:
    """What consumers hand their batches to: its database is away until somebody opens it."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.taken: list[Incoming] = []

    def take(self, incoming: Sequence[Incoming]) -> None:
        if not self.open.is_set():
            raise InfrastructureDown("the database is away")
        self.taken += incoming

    def take_unprocessable(self, incoming: Incoming, fault: Exception) -> None:
        raise AssertionError(f"{incoming} was blamed for {fault}")


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def proxy(rabbit: RabbitBuses) -> Iterator[Proxy]:
    """Stands between the service and its broker."""
    parts = urlsplit(rabbit.url)
    with Proxy(str(parts.hostname), int(parts.port or 0)) as proxy:
        yield proxy


@pytest.fixture
def consumers(rabbit: RabbitBuses, proxy: Proxy, shop: Shop) -> Iterator[list[Consumer]]:
    parts = urlsplit(rabbit.url)
    through = f"{parts.username}:{parts.password}@{LOOPBACK}:{proxy.port}"
    url = urlunsplit(parts._replace(netloc=through))
    bus = RabbitBus(url, queue="signup", name="signup", dead="signup.dead")
    bus.open()
    wait_until(bus.healthy, "the bus is connected to RabbitMQ", SOON)
    threads = [Consumer("signup", bus, shop) for _ in range(CONSUMERS)]
    for thread in threads:
        thread.start()
    yield threads
    for thread in threads:
        thread.stop()
        thread.join(SOON)
    bus.close()


def connected_again(proxy: Proxy, seen: int) -> bool:
    """Whether the connections to publish, to consume, and for dead letters were made anew."""
    return proxy.accepted >= seen + 3


def test_connections_that_are_lost_while_the_database_is_away_count_against_no_message(
    rabbit: RabbitBuses, proxy: Proxy, shop: Shop, consumers: list[Consumer]
) -> None:
    # Given a hundred messages, and a service whose database is away
    sent = messages(100)
    rabbit.open().publish(sent).result(10)
    # When it has seen so, Then all of them are the broker's again, and the service is well.
    wait_until(lambda: any(thread.paused for thread in consumers), "it pauses", SOON)
    wait_until(lambda: messages_ready(rabbit, "signup") == 100, "all are back", 20)
    # When its connections are lost, again and again, and the database is there again,
    for _ in range(6):
        seen = proxy.accepted
        proxy.reset()
        wait_until(partial(connected_again, proxy, seen), "it is connected again", 20)
    shop.open.set()
    # Then all are dealt with, and of none does the broker say that it came more than a few times.
    ids = {message.id for message in sent}
    wait_until(lambda: {each.message_id for each in shop.taken} >= ids, "all are done", 30)
    assert not any(each.dead_lettered for each in shop.taken)
    assert max(int(str(each.headers.get("x-delivery-count", 0))) for each in shop.taken) <= 3
    assert not any(thread.paused for thread in consumers)


def test_a_blip_of_the_database_has_nothing_delivered_again(
    rabbit: RabbitBuses, shop: Shop, consumers: list[Consumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a database that is away for one try of one thread
    tries = []
    really = shop.take

    def take(incoming: Sequence[Incoming]) -> None:
        tries.append(incoming)
        if len(tries) > 1:
            shop.open.set()
        really(incoming)

    monkeypatch.setattr(shop, "take", take)
    # When messages come, Then they are dealt with at the next, from the same hands.
    rabbit.open().publish(messages(10)).result(10)
    wait_until(lambda: len(shop.taken) == 10, "all are done", SOON)
    assert not any(each.redelivered for each in shop.taken)
