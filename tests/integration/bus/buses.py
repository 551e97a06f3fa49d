"""What the tests of the buses share: a small topology, messages, and buses on either broker."""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol
from uuid import uuid4

from shared.messaging.bus import EXCHANGE, Bus, Incoming, Outgoing, PublishResult
from shared.messaging.embedded import EmbeddedBroker
from shared.messaging.rabbitmq import RabbitBus
from shared.messaging.topology import Listener, Topology
from shared.messaging.topology.declare import apply
from tests.servers.premises import wait_until

SUBMITTED = "signup.submitted.v1"
ACCEPTED = "signup.accepted.v1"
REJECTED = "signup.rejected.v1"
UNHEARD = "customer.congratulated.v1"

SOON = 5.0
"""Seconds within which something that should happen at once has happened, on a busy machine."""

TOPOLOGY = Topology(
    (
        Listener("signup", hears=(SUBMITTED,), says=(ACCEPTED, REJECTED)),
        Listener("registration", hears=(ACCEPTED,), says=()),
        Listener("activation", hears=(ACCEPTED, REJECTED), says=()),
    ),
    website_says=(SUBMITTED,),
)


class Buses(Protocol):
    """Opens buses on a broker with the topology in it."""

    def open(self, queue: str | None = None, *, exchange: str = EXCHANGE) -> Bus:
        """A bus that is up; closed when the test ends. It publishes to `exchange`."""

    def close(self) -> None:
        """Close every bus."""


class EmbeddedBuses:
    """Opens buses on the embedded broker of one process."""

    def __init__(self, topology: Topology = TOPOLOGY) -> None:
        self._broker = EmbeddedBroker(topology)
        self._opened: list[Bus] = []

    def open(self, queue: str | None = None, *, exchange: str = EXCHANGE) -> Bus:
        bus = self._broker.bus(queue, exchange)
        bus.open()
        self._opened.append(bus)
        return bus

    def close(self) -> None:
        for bus in self._opened:
            bus.close()


class RabbitBuses:
    """Opens buses on a virtual host of a RabbitMQ."""

    def __init__(self, url: str, topology: Topology = TOPOLOGY) -> None:
        self.url = url
        apply(topology.with_offices(["0042"]), url)
        self._opened: list[Bus] = []

    def open(self, queue: str | None = None, **options: Any) -> RabbitBus:
        bus = RabbitBus(self.url, queue=queue, name=queue or "website", **options)
        bus.open()
        self._opened.append(bus)
        wait_until(bus.healthy, "the bus is connected to RabbitMQ", 10)
        return bus

    def close(self) -> None:
        for bus in self._opened:
            bus.close()


def message(body: object = "hello", *, type: str = SUBMITTED, **more: Any) -> Outgoing:
    """A message with an id of its own."""
    return Outgoing(str(uuid4()), type, str(body).encode(), **more)


def messages(count: int, **more: Any) -> list[Outgoing]:
    """So many messages, numbered from 0."""
    return [message(number, **more) for number in range(count)]


def bodies(messages: Sequence[Incoming | Outgoing]) -> list[str]:
    """What the messages say."""
    return [message.body.decode() for message in messages]


def collect(bus: Bus, count: int, *, acknowledge: bool = True) -> list[Incoming]:
    """Receive until there are so many; fail when they do not come."""
    received: list[Incoming] = []
    deadline = time.monotonic() + 20
    while len(received) < count:
        assert time.monotonic() < deadline, f"only {len(received)} of {count} messages came"
        batch = bus.receive(100, wait=1.0, linger=0.003)
        received += batch
        if acknowledge:
            bus.acknowledge(batch)
    return received


def publish_until_confirmed(bus: Bus, messages: Sequence[Outgoing]) -> None:
    """Publish as the outbox does: what is not confirmed goes out again, after a little rest."""
    deadline = time.monotonic() + 40
    unconfirmed = list(messages)
    while unconfirmed:
        assert time.monotonic() < deadline, f"{len(unconfirmed)} messages were never confirmed"
        results = bus.publish(unconfirmed).result(timeout=35)
        unconfirmed = [
            replace(message, repeated=True)
            for message, result in zip(unconfirmed, results, strict=True)
            if result is not PublishResult.CONFIRMED
        ]
        if unconfirmed:
            time.sleep(0.02)


def receive_in_background(
    bus: Bus, limit: int, wait: float, linger: float
) -> tuple[threading.Thread, list[Incoming]]:
    """A thread that receives once; its batch is in the list when it has ended."""
    batch: list[Incoming] = []
    thread = threading.Thread(target=lambda: batch.extend(bus.receive(limit, wait, linger)))
    thread.start()
    return thread, batch
