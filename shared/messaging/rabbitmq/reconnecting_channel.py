"""A connection to RabbitMQ, with one channel, that comes back whenever it is lost."""

import itertools
import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from pika.exceptions import ChannelClosedByClient  # noqa: TID251 - AMQP is spoken here.

from shared.messaging.rabbitmq.address import broker_parameters
from shared.messaging.rabbitmq.alarm_probe import AlarmProbe
from shared.messaging.rabbitmq.connection import Connection
from shared.messaging.rabbitmq.failures import explain, innermost
from shared.messaging.rabbitmq.outage_log import CHANNEL_CLOSED, OutageLog

log = structlog.get_logger()

# pika tells every failure several times, with stack traces; we tell it once.
logging.getLogger("pika").setLevel(logging.CRITICAL)

RECONNECT_DELAY_MIN_SECONDS = 0.2
RECONNECT_DELAY_MAX_SECONDS = 10.0
"""Between attempts to connect; they double from the one to the other."""

SOCKET_TIMEOUT_SECONDS = 5.0
STACK_TIMEOUT_SECONDS = 10.0
"""For a broker to take a connection, and to have it ready for use."""

CHANNEL_READY_TIMEOUT_SECONDS = 15.0
"""For a channel to be ready for use: a queue that has lost its leader answers nothing, while the
heartbeats go on."""

BLOCKED_TIMEOUT_SECONDS = 300.0
"""A broker that blocks publishers for longer is given up, in case its all-clear was lost."""


def connection_parameters(url: str, *, heartbeat: int, name: str) -> Any:
    """What pika needs to know to connect to one address.

    Raises:
        WrongSettings: as `broker_parameters`.
    """
    parameters = broker_parameters(url)
    parameters.heartbeat = heartbeat
    parameters.socket_timeout = SOCKET_TIMEOUT_SECONDS
    parameters.stack_timeout = STACK_TIMEOUT_SECONDS
    parameters.blocked_connection_timeout = BLOCKED_TIMEOUT_SECONDS
    parameters.client_properties = {"connection_name": name}
    return parameters


@dataclass(frozen=True)
class Endpoint:
    """Where a service's connections lead, what serves them, and where they tell how they are."""

    ioloop: Any
    addresses: Sequence[Any]
    name: str
    outages: OutageLog


class ReconnectingChannel:
    """Keeps one connection with one channel up, for ever, trying the addresses in turn.

    Everything here happens on the thread of the I/O loop. `on_open` gets each new channel; when it
    works, its user calls `mark_ready`. `on_closed` says that the channel of before is gone.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        role: str,
        on_open: Callable[[Any], None],
        on_closed: Callable[[], None],
    ) -> None:
        self._ioloop, addresses = endpoint.ioloop, endpoint.addresses
        # Each process begins elsewhere, so that a cluster shares the load.
        start = random.randrange(len(addresses))  # noqa: S311 - no secret depends on it.
        self._addresses = itertools.cycle([*addresses[start:], *addresses[:start]])
        self._name = f"{endpoint.name} {role}"
        self._address: Any = None
        self._outages = endpoint.outages
        self._outages.expect(self._name)
        self._on_open = on_open
        self._on_closed = on_closed
        self._connection: Any = None
        self._channel: Any = None
        self._retry_timer: Any = None
        self._ready_timer: Any = None
        self._failures = 0
        self._when_closed: Callable[[], None] | None = None
        self._bytes_received = 0
        self.last_activity = time.monotonic()
        """When the broker was last found to have said something on an open connection."""
        self.blocked = False
        self.closed = False
        self.failure = ""
        """Why it is not ready, in a sentence; empty when it is, or was not tried yet."""

    def check_activity(self) -> None:
        """Note whether the broker has said anything since this was last called.

        A connection whose end nobody has dealt with is made anew: pika keeps to itself what went
        wrong when it told of that.
        """
        if self._connection is not None and self._connection.is_closed:
            self._connection_gone()
        if self._connection is None or not self._connection.is_open:
            return
        self._connection.note_waiting()
        before, self._bytes_received = self._bytes_received, self._connection.bytes_received
        if self._bytes_received != before:
            self.last_activity = time.monotonic()

    def stop_reading(self) -> None:
        """Leave what the broker sends where it is, until `read_on`."""
        if self._connection is not None and self._connection.is_open:
            self._connection.stop_reading()

    def read_on(self) -> None:
        """Read again what the broker sends; of no account when it is being read."""
        if self._connection is not None:
            self._connection.read_on()

    def probe_with(self, probe: AlarmProbe) -> None:
        """Ask whether the broker takes what is published, unless it said that it does not."""
        if self._connection is not None and self._connection.is_open and not self.blocked:
            probe.probe(self._connection)

    def connect(self) -> None:
        """Try the next address."""
        self._address = next(self._addresses)
        self._connection = Connection(
            self._address,
            on_open_callback=self._on_connection_open,
            on_open_error_callback=self._on_connection_open_error,
            on_close_callback=self._on_connection_closed,
            custom_ioloop=self._ioloop,
        )

    def mark_ready(self) -> None:
        """Note that the channel does what it is for: the next failure is a new one."""
        self._failures = 0
        self.failure = ""
        self._cancel(self._ready_timer)
        self._outages.ready(self._name, **self._place)

    @property
    def _place(self) -> dict[str, object]:
        return {"host": self._address.host, "port": self._address.port}

    def _failed(self, event: str, error: BaseException) -> None:
        self.failure = explain(error)
        reason, raised = self.failure, repr(innermost(error))[:300]
        self._outages.failed(event, self._name, reason=reason, error=raised, **self._place)

    def reopen_channel(self) -> None:
        """Give up the channel and open another one; what it held goes back to the broker."""
        if self._channel is not None and self._channel.is_open:
            self._channel.close()

    def reconnect(self) -> None:
        """Make another connection, whatever has become of this one and of the timers."""
        if self._connection is None:
            self._cancel(self._retry_timer)
            self._retry(self.connect)
        else:
            self.abort()

    def abort(self) -> None:
        """Drop the connection without a word to the broker, which may never answer one."""
        if self._connection is not None and not self._connection.is_closed:
            self._connection.abort()

    def close(self, when_closed: Callable[[], None]) -> None:
        """Hang up for good."""
        self._when_closed = when_closed
        self._cancel(self._retry_timer)
        if self._connection is None or self._connection.is_closed:
            self._finish(when_closed)
        elif self._connection.is_open:
            self._connection.close()
        # One that is still opening is closed once it is open: pika stumbles over less.

    def _finish(self, when_closed: Callable[[], None]) -> None:
        self.closed = True
        when_closed()

    # What pika calls.

    def _on_connection_open(self, connection: Any) -> None:
        if self._when_closed is not None:
            connection.close()
            return
        connection.add_on_connection_blocked_callback(self._on_blocked)
        connection.add_on_connection_unblocked_callback(self._on_unblocked)
        self._open_channel()

    def _on_connection_open_error(self, _connection: Any, error: BaseException) -> None:
        if self._when_closed is None:
            self._failed("broker_unreachable", error)
        self._connection_gone()

    def _on_connection_closed(self, _connection: Any, error: BaseException) -> None:
        if self._when_closed is None:
            self._failed("broker_connection_lost", error)
        self._connection_gone()

    def _connection_gone(self) -> None:
        self._connection = None
        self.blocked = False
        # The connection is made first, and the channel with it.
        self._cancel(self._retry_timer)
        self._channel_gone()
        self._retry(self.connect)

    def _open_channel(self) -> None:
        # A connection that is going down tells so itself.
        if self._connection is not None and self._connection.is_open:
            self._ready_timer = self._ioloop.call_later(
                CHANNEL_READY_TIMEOUT_SECONDS, self._on_ready_timeout
            )
            self._connection.channel(on_open_callback=self._on_channel_open)

    def _on_channel_open(self, channel: Any) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._on_channel_closed)
        self._on_open(channel)

    def _on_ready_timeout(self) -> None:
        """Take another connection: this one is alive, and of no use."""
        self._failed("broker_channel_timeout", TimeoutError())
        self.abort()

    def _on_channel_closed(self, _channel: Any, error: BaseException) -> None:
        self._channel_gone()
        # When the connection goes too, it tells so itself.
        if self._connection is not None and self._connection.is_open:
            if not isinstance(error, ChannelClosedByClient):
                self._failed(CHANNEL_CLOSED, error)
            self._retry(self._open_channel)

    def _channel_gone(self) -> None:
        self._cancel(self._ready_timer)
        if self._channel is not None:
            self._channel = None
            self._on_closed()

    def _on_blocked(self, _connection: Any, _method: Any) -> None:
        self.blocked = True
        log.warning("broker_blocked", connection=self._name)

    def _on_unblocked(self, _connection: Any, _method: Any) -> None:
        self.blocked = False
        log.info("broker_unblocked", connection=self._name)

    # Trying again.

    def _retry(self, attempt: Callable[[], None]) -> None:
        """Try after a delay that doubles with each failure, and differs between processes."""
        if self._when_closed is not None:
            if self._connection is None:
                self._finish(self._when_closed)
            return
        doubled = RECONNECT_DELAY_MIN_SECONDS * 2 ** min(self._failures, 10)
        longest = min(RECONNECT_DELAY_MAX_SECONDS, doubled)
        self._failures += 1
        jitter = random.uniform(0.5, 1.0)  # noqa: S311 - no secret depends on it.
        delay = max(RECONNECT_DELAY_MIN_SECONDS, longest * jitter)
        self._retry_timer = self._ioloop.call_later(delay, attempt)

    def _cancel(self, timer: Any) -> None:
        """Forget a timer, if there is one; it may have gone off already."""
        if timer is not None:
            self._ioloop.remove_timeout(timer)
