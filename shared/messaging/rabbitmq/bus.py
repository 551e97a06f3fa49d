"""A service's way to RabbitMQ: its connections, and the thread that serves them."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import structlog
from pika.adapters.select_connection import IOLoop  # noqa: TID251 - AMQP is spoken here.

from shared.base.addresses import split_addresses
from shared.messaging.batches import BatchBuffer, Room
from shared.messaging.bus import (
    ALARM,
    EXCHANGE,
    IN_HAND_BYTES,
    PREFETCH,
    UNREACHABLE,
    Incoming,
    Outgoing,
    PublishResult,
)
from shared.messaging.in_hand import BytesInHand
from shared.messaging.rabbitmq.alarm_probe import AlarmProbe
from shared.messaging.rabbitmq.consumer import QueueConsumer
from shared.messaging.rabbitmq.outage_log import OutageLog
from shared.messaging.rabbitmq.publisher import ConfirmingPublisher
from shared.messaging.rabbitmq.reconnecting_channel import (
    Endpoint,
    ReconnectingChannel,
    connection_parameters,
)

log = structlog.get_logger()

DEAD_LETTER_PREFETCH = 10
"""How many dead-lettered messages are in hand at once: they are rare."""

PUBLISH_DRAIN_TIMEOUT_SECONDS = 5.0
"""What `close` gives to what is being published."""

CLOSE_TIMEOUT_SECONDS = 2.0
"""What `close` gives to a broker for saying goodbye."""

ACTIVITY_CHECK_SECONDS = 1.0
"""Between one look at whether the broker still speaks and the next."""

PROBE_EVERY_LOOKS = 10
"""How many looks there are between one that asks for an alarm and the next."""

RESTART_DELAY_SECONDS = 0.2
"""Between a fault and a fresh start, or between breaking off and the end."""


class RabbitBus:
    """See `Bus`. It never declares anything: its broker user may not, and need not.

    What it publishes goes to `exchange`: a service's line to the services', an outside speaker's
    to its own. `url` is one address, or several of a cluster with commas between them. `heartbeat`
    is in seconds: a broker that falls silent is given up after that and five more, at most twice.
    `dead` is the queue for what the broker dead-letters of `queue`. It has a connection of its
    own: whatever becomes of it, the messages of the day go on.
    """

    def __init__(
        self,
        url: str,
        *,
        queue: str | None,
        name: str,
        exchange: str = EXCHANGE,
        dead: str | None = None,
        prefetch: int = PREFETCH,
        in_hand_bytes: int = IN_HAND_BYTES,
        heartbeat: int = 15,
    ) -> None:
        addresses = [
            connection_parameters(address, heartbeat=heartbeat, name=name)
            for address in split_addresses(url)
        ]
        self._log = log.bind(bus=name)
        self._ioloop: Any = IOLoop()
        self._buffer = BatchBuffer()
        self.in_hand = BytesInHand(in_hand_bytes)
        endpoint = Endpoint(self._ioloop, addresses, name, OutageLog(self._log))
        self._publisher = ConfirmingPublisher(endpoint, exchange)

        self._consumer = self._new_consumer(endpoint, queue, prefetch)
        self._dead_letter_consumer = self._new_consumer(
            endpoint, dead, DEAD_LETTER_PREFETCH, dead_letters=True
        )
        self._thread = threading.Thread(target=self._run, name=f"{name}-amqp", daemon=True)
        self._state = threading.Lock()
        self._running = False
        self._closed = False
        self._stopped = False
        self._pauses = 0
        self._activity_timer: Any = None
        self._probe = AlarmProbe(exchange)
        self._looks = 0

    def _new_consumer(
        self, endpoint: Endpoint, queue: str | None, prefetch: int, *, dead_letters: bool = False
    ) -> QueueConsumer | None:
        """A consumer of a queue, if there is one; all of them fill the same buffer."""
        if not queue:
            return None
        return QueueConsumer(
            endpoint, queue, prefetch, self._buffer, self.in_hand, dead_letters=dead_letters
        )

    def open(self) -> None:
        """Start connecting, in the background; returns at once."""
        with self._state:
            if self._running or self._closed:
                return
            self._running = True
            self._publisher.accept()
            self._ioloop.add_callback_threadsafe(self._connect)
            self._thread.start()

    def publish(self, messages: Sequence[Outgoing]) -> "Future[list[PublishResult]]":
        """Hand messages over; the future gives one result for each, in order."""
        return self._publisher.publish(messages)

    def receive(self, limit: int, wait: float, linger: float) -> list[Incoming]:
        """Return what is there now, at most `limit` messages."""
        return self._buffer.collect(self._take, limit, wait, linger)

    def _take(self, room: Room) -> list[Incoming]:
        """Take dead letters first: there are few of them, and they are quickly kept.

        Who has paused takes nothing, though the broker may not have heard of it yet.
        """
        if self._pauses:
            return []
        batch: list[Incoming] = []
        for consumer in reversed(self._consumers):
            batch += consumer.take(room)
        return batch

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        """Tell the broker that these are dealt with; harmless when their connection is gone."""
        self.in_hand.remove(messages)
        if self._running:
            for consumer in self._consumers:
                consumer.acknowledge(messages)

    def pause(self) -> None:
        """Give back what is not acknowledged, and receive nothing until `resume`."""
        with self._state:
            self._pauses += 1
            if self._pauses == 1 and self._running:
                self._ioloop.add_callback_threadsafe(self._pause)

    def resume(self) -> None:
        """Receive again, once everybody who called `pause` has called this."""
        with self._state:
            self._pauses -= 1
            if self._pauses == 0 and self._running:
                self._ioloop.add_callback_threadsafe(self._resume)

    def interrupt(self) -> None:
        """Make a waiting `receive`, or else the next one, return at once."""
        self._buffer.interrupt()

    def healthy(self) -> bool:
        """Whether both connections are up and the queue, if any, is subscribed to or paused."""
        working = self._consumer is None or self._consumer.working
        return self._running and self._publisher.ready and working

    def trouble(self) -> str:
        """What keeps it from working, in a sentence; empty when nothing does."""
        if any(connection.blocked for connection in self._connections):
            return ALARM
        if self.healthy():
            return ""
        failures = [each.failure for each in self._connections if each.failure]
        return ": ".join([UNREACHABLE, *failures[:1]])

    def silent_for(self) -> float:
        """Seconds since the broker was last heard on each connection."""
        return time.monotonic() - min(each.last_activity for each in self._connections)

    def close(self) -> None:
        """Take no more messages, finish publishing in bounded time, and hang up."""
        with self._state:
            started, self._running = self._running, False
            already, self._closed = self._closed, True
        if already:
            return
        if started:
            self._ioloop.add_callback_threadsafe(self._shut_down)
            self._thread.join()
        with self._buffer.lock:
            self._buffer.close()
        self._publisher.abandon()
        self._ioloop.close()

    @property
    def _connections(self) -> list[ReconnectingChannel]:
        return [self._publisher.connection, *(each.connection for each in self._consumers)]

    @property
    def _consumers(self) -> list[QueueConsumer]:
        both = (self._consumer, self._dead_letter_consumer)
        return [consumer for consumer in both if consumer is not None]

    # On the thread of the connections.

    def _connect(self) -> None:
        for connection in self._connections:
            connection.connect()
        self._check_activity()

    def _check_activity(self) -> None:
        for connection in self._connections:
            connection.check_activity()
            if self.in_hand.has_room:
                connection.read_on()
        self._looks += 1
        if self._dead_letter_consumer is not None and self._looks % PROBE_EVERY_LOOKS == 0:
            # A service's; whoever is outside may say nothing but their own events.
            self._publisher.connection.probe_with(self._probe)
        self._activity_timer = self._ioloop.call_later(ACTIVITY_CHECK_SECONDS, self._check_activity)

    def _pause(self) -> None:
        self._log.info("consumption_paused")
        for consumer in self._consumers:
            consumer.pause()

    def _resume(self) -> None:
        self._log.info("consumption_resumed")
        for consumer in self._consumers:
            consumer.resume()

    def _run(self) -> None:
        """Serve the connections until they are closed for good, whatever happens meanwhile."""
        while not self._stopped:
            try:
                self._ioloop.start()
            except Exception:
                # Nobody must wait for a thread that is gone. Whatever the fault tore out of its
                # work, a fresh start does not miss it; who is hanging up breaks off instead, and
                # leaves the broker no connection.
                self._log.exception("broker_io_loop_crashed")
                # What keeps it from beginning at all, such as too many open files, takes a while
                # to pass; and pika takes a loop that could not begin for one that runs.
                time.sleep(RESTART_DELAY_SECONDS)
                self._ioloop._poller._running = False
                self._ioloop.call_later(0, self._abort if self._closed else self._reconnect)

    def _reconnect(self) -> None:
        if self._activity_timer is not None:
            self._ioloop.remove_timeout(self._activity_timer)
        self._check_activity()
        self._publisher.reconnect()
        for consumer in self._consumers:
            consumer.connection.reconnect()

    def _shut_down(self) -> None:
        """Hang up: first the consumers, then the publisher when all is confirmed."""
        for consumer in self._consumers:
            consumer.stop()
            consumer.connection.close(self._on_connection_closed)
        if self._publisher.connection.blocked:
            self._close_publisher()  # Nothing is confirmed while the broker takes nothing.
            self._publisher.connection.abort()  # Nor does it read a goodbye.
            return
        timer = self._ioloop.call_later(PUBLISH_DRAIN_TIMEOUT_SECONDS, self._close_publisher)

        def drained() -> None:
            self._ioloop.remove_timeout(timer)
            self._close_publisher()

        self._publisher.drain(drained)

    def _close_publisher(self) -> None:
        """Close the publisher's connection; a broker that does not answer is left."""
        self._ioloop.call_later(CLOSE_TIMEOUT_SECONDS, self._abort)
        self._publisher.connection.close(self._on_connection_closed)

    def _abort(self) -> None:
        """Drop what is not closed by now; otherwise the broker would keep its messages for us."""
        self._ioloop.call_later(RESTART_DELAY_SECONDS, self._stop)
        for connection in self._connections:
            connection.abort()

    def _on_connection_closed(self) -> None:
        if all(connection.closed for connection in self._connections):
            self._stop()

    def _stop(self) -> None:
        self._stopped = True
        self._ioloop.stop()
