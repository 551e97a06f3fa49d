"""What the tests of the buses share: a small topology, letters, and lines to either broker."""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol
from uuid import uuid4

from shared.messaging.bus import Bus, Incoming, Outgoing, Receipt
from shared.messaging.declare import apply
from shared.messaging.embedded import EmbeddedBroker
from shared.messaging.rabbitmq import RabbitBus
from shared.messaging.topology import Listener, Topology
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
    )
)


class Exchange(Protocol):
    """A broker with the topology in it."""

    def line(self, queue: str | None = None) -> Bus:
        """A line that is up; closed when the test ends."""

    def close(self) -> None:
        """Close every line."""


class EmbeddedExchange:
    """The embedded broker of one process."""

    def __init__(self, topology: Topology = TOPOLOGY) -> None:
        self._broker = EmbeddedBroker(topology)
        self._lines: list[Bus] = []

    def line(self, queue: str | None = None) -> Bus:
        bus = self._broker.bus(queue)
        bus.open()
        self._lines.append(bus)
        return bus

    def close(self) -> None:
        for bus in self._lines:
            bus.close()


class RabbitExchange:
    """A virtual host of a RabbitMQ."""

    def __init__(self, url: str, topology: Topology = TOPOLOGY) -> None:
        self.url = url
        apply(topology, url)
        self._lines: list[Bus] = []

    def line(self, queue: str | None = None, **options: Any) -> RabbitBus:
        bus = RabbitBus(self.url, queue=queue, name=queue or "website", **options)
        bus.open()
        self._lines.append(bus)
        wait_until(bus.healthy, "the line to RabbitMQ is up", 10)
        return bus

    def close(self) -> None:
        for bus in self._lines:
            bus.close()


def letter(body: object = "hello", *, type: str = SUBMITTED, **more: Any) -> Outgoing:
    """A message with an id of its own."""
    return Outgoing(str(uuid4()), type, str(body).encode(), **more)


def letters(count: int, **more: Any) -> list[Outgoing]:
    """So many messages, numbered from 0."""
    return [letter(number, **more) for number in range(count)]


def bodies(messages: Sequence[Incoming | Outgoing]) -> list[str]:
    """What the messages say."""
    return [one.body.decode() for one in messages]


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
    left = list(messages)
    while left:
        assert time.monotonic() < deadline, f"{len(left)} messages were never confirmed"
        receipts = bus.publish(left).result(timeout=35)
        left = [
            replace(message, repeated=True)
            for message, receipt in zip(left, receipts, strict=True)
            if receipt is not Receipt.CONFIRMED
        ]
        if left:
            time.sleep(0.02)


def receive_in_background(
    bus: Bus, limit: int, wait: float, linger: float
) -> tuple[threading.Thread, list[Incoming]]:
    """A thread that receives once; its batch is in the list when it has ended."""
    batch: list[Incoming] = []
    thread = threading.Thread(target=lambda: batch.extend(bus.receive(limit, wait, linger)))
    thread.start()
    return thread, batch
