"""A connection to RabbitMQ, with one channel, that comes back whenever it is lost."""

import itertools
import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import pika  # noqa: TID251 - this package is the one place where AMQP is spoken.
import structlog
from pika.exceptions import AMQPConnectionError  # noqa: TID251 - AMQP is spoken here.

from shared.messaging.rabbitmq.connection import Connection

log = structlog.get_logger()

# pika tells every failure several times, with stack traces; the line tells it once.
logging.getLogger("pika").setLevel(logging.CRITICAL)

SHORTEST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
"""Seconds between attempts to connect; they double from the one to the other."""

SOCKET_TIMEOUT = 5.0
STACK_TIMEOUT = 10.0
"""Seconds for a broker to take a connection, and to have it ready for use."""

SETTLING = 15.0
"""Seconds for a channel to be ready for use: a queue that has lost its leader answers nothing,
while the heartbeats go on."""

BLOCKED_TIMEOUT = 300.0
"""A broker that blocks publishers for longer is given up, in case its all-clear was lost."""


def parameters(url: str, *, heartbeat: int, name: str) -> Any:
    """What pika needs to know to connect to one address."""
    found = pika.URLParameters(url)
    found.heartbeat = heartbeat
    found.socket_timeout = SOCKET_TIMEOUT
    found.stack_timeout = STACK_TIMEOUT
    found.blocked_connection_timeout = BLOCKED_TIMEOUT
    found.client_properties = {"connection_name": name}
    return found


class Line:
    """Keeps one connection with one channel up, for ever, trying the addresses in turn.

    Everything here happens on the thread of `ioloop`. `on_up` gets each new channel; when it
    works, its user says `settled`. `on_down` says that the channel of before is gone.
    """

    def __init__(
        self,
        ioloop: Any,
        addresses: Sequence[Any],
        name: str,
        on_up: Callable[[Any], None],
        on_down: Callable[[], None],
    ) -> None:
        self._ioloop = ioloop
        # Each process begins elsewhere, so that a cluster shares the load.
        start = random.randrange(len(addresses))  # noqa: S311 - no secret depends on it.
        self._addresses = itertools.cycle([*addresses[start:], *addresses[:start]])
        self._log = log.bind(line=name)
        self._on_up = on_up
        self._on_down = on_down
        self._connection: Any = None
        self._channel: Any = None
        self._retry: Any = None
        self._settling: Any = None
        self._failures = 0
        self._when_closed: Callable[[], None] | None = None
        self._bytes_heard = 0
        self.heard_at = time.monotonic()
        """When the broker was last found to have said something on an open connection."""
        self.blocked = False
        self.closed = False

    def listen(self) -> None:
        """Note whether the broker has said anything since this was last called."""
        if self._connection is None or not self._connection.is_open:
            return
        heard, self._bytes_heard = self._bytes_heard, self._connection.bytes_received
        if self._bytes_heard != heard:
            self.heard_at = time.monotonic()

    def connect(self) -> None:
        """Try the next address."""
        address = next(self._addresses)
        self._log = self._log.bind(host=address.host, port=address.port)
        self._connection = Connection(
            address,
            on_open_callback=self._opened,
            on_open_error_callback=self._not_opened,
            on_close_callback=self._closed,
            custom_ioloop=self._ioloop,
        )

    def settled(self) -> None:
        """The channel does what it is for: the next failure is a new one."""
        self._failures = 0
        self._cancel(self._settling)
        self._log.info("broker_line_up")

    def renew(self) -> None:
        """Give up the channel and open another one; what it held goes back to the broker."""
        if self._channel is not None and self._channel.is_open:
            self._channel.close()

    def start_over(self) -> None:
        """Make another connection, whatever has become of this one and of the timers."""
        if self._connection is None:
            self._cancel(self._retry)
            self._again(self.connect)
        else:
            self.abort()

    def abort(self) -> None:
        """Drop the connection without a word to the broker, which may never answer one."""
        if self._connection is not None and not self._connection.is_closed:
            # pika does this when heartbeats fail, and has no public name for it: its `close`
            # waits for the channel, however long that takes.
            self._connection._terminate_stream(AMQPConnectionError("given up"))

    def close(self, when_closed: Callable[[], None]) -> None:
        """Hang up for good."""
        self._when_closed = when_closed
        self._cancel(self._retry)
        if self._connection is None or self._connection.is_closed:
            self._end(when_closed)
        elif self._connection.is_open:
            self._connection.close()
        # One that is still opening is closed once it is open: pika stumbles over less.

    def _end(self, when_closed: Callable[[], None]) -> None:
        self.closed = True
        when_closed()

    # What pika tells.

    def _opened(self, connection: Any) -> None:
        if self._when_closed is not None:
            connection.close()
            return
        connection.add_on_connection_blocked_callback(self._blocked)
        connection.add_on_connection_unblocked_callback(self._unblocked)
        self._open_channel()

    def _not_opened(self, _connection: Any, error: BaseException) -> None:
        if self._when_closed is None:
            self._log.warning("broker_unreachable", reason=_reason(error))
        self._connection_gone()

    def _closed(self, _connection: Any, reason: BaseException) -> None:
        if self._when_closed is None:
            self._log.warning("broker_connection_lost", reason=_reason(reason))
        self._connection_gone()

    def _connection_gone(self) -> None:
        self._connection = None
        self.blocked = False
        # The connection is made first, and the channel with it.
        self._cancel(self._retry)
        self._channel_gone()
        self._again(self.connect)

    def _open_channel(self) -> None:
        # A connection that is going down tells so itself.
        if self._connection is not None and self._connection.is_open:
            self._settling = self._ioloop.call_later(SETTLING, self._unsettled)
            self._connection.channel(on_open_callback=self._channel_opened)

    def _channel_opened(self, channel: Any) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._channel_closed)
        self._on_up(channel)

    def _unsettled(self) -> None:
        """Take another connection: this one is alive, and of no use."""
        self._log.warning("broker_does_not_answer")
        self.abort()

    def _channel_closed(self, _channel: Any, reason: BaseException) -> None:
        self._channel_gone()
        # When the connection goes too, it tells so itself.
        if self._connection is not None and self._connection.is_open:
            self._log.warning("broker_channel_closed", reason=_reason(reason))
            self._again(self._open_channel)

    def _channel_gone(self) -> None:
        self._cancel(self._settling)
        if self._channel is not None:
            self._channel = None
            self._on_down()

    def _blocked(self, _connection: Any, _method: Any) -> None:
        self.blocked = True
        self._log.warning("broker_blocks_publishers")

    def _unblocked(self, _connection: Any, _method: Any) -> None:
        self.blocked = False
        self._log.info("broker_takes_messages_again")

    # Trying again.

    def _again(self, attempt: Callable[[], None]) -> None:
        """Try after a pause that doubles with each failure, and differs between processes."""
        if self._when_closed is not None:
            if self._connection is None:
                self._end(self._when_closed)
            return
        longest = min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** min(self._failures, 10))
        self._failures += 1
        jitter = random.uniform(0.5, 1.0)  # noqa: S311 - no secret depends on it.
        self._retry = self._ioloop.call_later(max(SHORTEST_PAUSE, longest * jitter), attempt)

    def _cancel(self, timer: Any) -> None:
        """Forget a timer, if there is one; it may have gone off already."""
        if timer is not None:
            self._ioloop.remove_timeout(timer)


def _reason(error: BaseException) -> str:
    """An error in short: pika wraps each in others, and the innermost one says why."""
    while inner := _within(error):
        error = inner
    return repr(error)[:300]


def _within(error: BaseException) -> BaseException | None:
    found = [*error.args, getattr(error, "exception", None), *getattr(error, "exceptions", ())]
    return next((one for one in reversed(found) if isinstance(one, BaseException)), None)
