"""A service's line to RabbitMQ."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import structlog
from pika.adapters.select_connection import IOLoop  # noqa: TID251 - AMQP is spoken here.

from shared.messaging.bus import IN_HAND, Incoming, Outgoing, Receipt
from shared.messaging.rabbitmq.consuming import Consuming
from shared.messaging.rabbitmq.line import Line, parameters
from shared.messaging.rabbitmq.publishing import Publishing
from shared.messaging.reception import Reception

log = structlog.get_logger()

DEAD_PREFETCH = 10
"""How many messages that the broker gave up are in hand at once: they are rare."""

FINISHING = 5.0
"""Seconds that `close` gives to what is being published."""

HANGING_UP = 2.0
"""Seconds that `close` gives to a broker for saying goodbye."""

LISTENING = 1.0
"""Seconds between one look at whether the broker still speaks and the next."""

BREATHER = 0.2
"""Seconds between a fault and a fresh start, or between breaking off and the end."""


class RabbitBus:
    """See `Bus`. It never declares anything: its broker user may not, and need not.

    `url` is one address, or several of a cluster with commas between them. `heartbeat` is in
    seconds: a broker that falls silent is given up after that and five more, at most twice that.
    `dead` is the queue for what the broker gave up of `queue`. It has a connection of its own:
    whatever becomes of it, the messages of the day go on.
    """

    def __init__(
        self,
        url: str,
        *,
        queue: str | None,
        name: str,
        dead: str | None = None,
        prefetch: int = IN_HAND,
        heartbeat: int = 15,
    ) -> None:
        addresses = [
            parameters(one.strip(), heartbeat=heartbeat, name=name) for one in url.split(",")
        ]
        self._log = log.bind(bus=name)
        self._ioloop: Any = IOLoop()
        self._publishing = Publishing(self._ioloop, addresses, name)
        self._consuming = (
            Consuming(self._ioloop, addresses, name, queue, prefetch) if queue else None
        )
        self._reception = self._consuming.reception if self._consuming else Reception()
        self._burying = (
            Consuming(
                self._ioloop,
                addresses,
                name,
                dead,
                DEAD_PREFETCH,
                last_resort=True,
                reception=self._reception,
            )
            if dead
            else None
        )
        self._thread = threading.Thread(target=self._run, name=f"{name}-amqp", daemon=True)
        self._state = threading.Lock()
        self._running = False
        self._closed = False
        self._over = False
        self._listening: Any = None

    def open(self) -> None:
        """Start connecting, in the background; returns at once."""
        with self._state:
            if self._running or self._closed:
                return
            self._running = True
            self._publishing.accept()
            self._ioloop.add_callback_threadsafe(self._connect)
            self._thread.start()

    def publish(self, messages: Sequence[Outgoing]) -> "Future[list[Receipt]]":
        """Hand messages over; the future gives one receipt for each, in order."""
        return self._publishing.publish(messages)

    def receive(self, limit: int, wait: float, linger: float) -> list[Incoming]:
        """Return what is there now, at most `limit` messages."""
        return self._reception.gather(self._take, limit, wait, linger)

    def _take(self, limit: int) -> list[Incoming]:
        """What the broker gave up comes first: there is little of it, and it is quickly kept."""
        taken: list[Incoming] = []
        for one in reversed(self._subscriptions):
            taken += one.take(limit - len(taken))
        return taken

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        """Tell the broker that these are dealt with; harmless when their connection is gone."""
        if self._running:
            for one in self._subscriptions:
                one.acknowledge(messages)

    def interrupt(self) -> None:
        """Make a waiting `receive`, or else the next one, return at once."""
        self._reception.interrupt()

    def healthy(self) -> bool:
        """Whether both connections are up and the queue, if any, is subscribed to."""
        subscribed = self._consuming is None or self._consuming.subscribed
        return self._running and self._publishing.ready and subscribed

    def silent_for(self) -> float:
        """Seconds since the broker was last heard on each connection."""
        return time.monotonic() - min(line.heard_at for line in self._lines)

    def close(self) -> None:
        """Take no more messages, finish publishing in bounded time, and hang up."""
        with self._state:
            started, self._running = self._running, False
            already, self._closed = self._closed, True
        if already:
            return
        if started:
            self._ioloop.add_callback_threadsafe(self._wind_up)
            self._thread.join()
        with self._reception.lock:
            self._reception.close()
        self._publishing.abandon()
        self._ioloop.close()

    @property
    def _lines(self) -> list[Line]:
        return [self._publishing.line, *(one.line for one in self._subscriptions)]

    @property
    def _subscriptions(self) -> list[Consuming]:
        return [one for one in (self._consuming, self._burying) if one is not None]

    # On the thread of the connections.

    def _connect(self) -> None:
        for line in self._lines:
            line.connect()
        self._listen()

    def _listen(self) -> None:
        for line in self._lines:
            line.listen()
        self._listening = self._ioloop.call_later(LISTENING, self._listen)

    def _run(self) -> None:
        """Serve the connections until they are closed for good, whatever happens meanwhile."""
        while not self._over:
            try:
                self._ioloop.start()
            except Exception:
                # Nobody must wait for a thread that is gone. Whatever the fault tore out of its
                # work, a fresh start does not miss it; who is hanging up breaks off instead, and
                # leaves the broker no connection.
                self._log.exception("broker_thread_stumbled")
                again = self._break_off if self._closed else self._start_over
                self._ioloop.call_later(BREATHER, again)

    def _start_over(self) -> None:
        self._ioloop.remove_timeout(self._listening)
        self._listen()
        self._publishing.start_over()
        for one in self._subscriptions:
            one.line.start_over()

    def _wind_up(self) -> None:
        """Hang up: first the lines that consume, then the other when all is confirmed."""
        for one in self._subscriptions:
            one.stop()
            one.line.close(self._line_closed)
        patience = self._ioloop.call_later(FINISHING, self._hang_up)

        def finished() -> None:
            self._ioloop.remove_timeout(patience)
            self._hang_up()

        self._publishing.finish(finished)

    def _hang_up(self) -> None:
        """Close the line that publishes; a broker that does not answer is left."""
        self._ioloop.call_later(HANGING_UP, self._break_off)
        self._publishing.line.close(self._line_closed)

    def _break_off(self) -> None:
        """Drop what is not closed by now; otherwise the broker would keep its messages for us."""
        self._ioloop.call_later(BREATHER, self._stop)
        for line in self._lines:
            line.abort()

    def _line_closed(self) -> None:
        if all(line.closed for line in self._lines):
            self._stop()

    def _stop(self) -> None:
        self._over = True
        self._ioloop.stop()
