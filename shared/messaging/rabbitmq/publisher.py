"""Publishing with pipelined confirms: many messages under way, one result for each."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from itertools import takewhile
from typing import Any

import structlog

from shared.base.crash_points import reached
from shared.events.envelope import MAX_BODY_BYTES
from shared.messaging.batches import PendingBatch
from shared.messaging.bus import Outgoing, PublishResult
from shared.messaging.in_hand import BytesInHand
from shared.messaging.rabbitmq import frames
from shared.messaging.rabbitmq.pending import Pending, routing_key
from shared.messaging.rabbitmq.reconnecting_channel import Endpoint, ReconnectingChannel

log = structlog.get_logger()

SEND_TIMEOUT_SECONDS = 5.0
"""How long a message waits for a connection before its publisher is sent away."""

CONFIRM_TIMEOUT_SECONDS = 30.0
"""How long a published message waits for its confirm; then the connection is given up, too."""

NACK_TOLERANCE_SECONDS = 2.0
"""How long a channel may refuse messages before another connection is tried."""

DEADLINE_CHECK_SECONDS = 0.5

MAX_PENDING_MESSAGES = 20_000
MAX_PENDING_BYTES = 16 * 1024 * 1024
"""With so much waiting or under way, more is sent away: memory is no queue. What is under way is
in memory up to three times, since it is copied to be written."""


class ConfirmingPublisher:
    """Sends what is handed to it to one exchange, while its connection is up.

    `publish` may be called from any thread; all else runs on the thread of the I/O loop.
    """

    def __init__(self, endpoint: Endpoint, exchange: str) -> None:
        self._ioloop = endpoint.ioloop
        self.connection = ReconnectingChannel(
            endpoint, "publisher", self._on_channel_open, self._on_channel_closed
        )
        self._app_id = endpoint.name
        self._exchange = exchange
        self._user_id: str | None = None
        self._lock = threading.Lock()
        self._handed_off: deque[Pending] = deque()
        self._handoff_scheduled = False
        self._pending_count = 0
        self._pending_bytes = BytesInHand(MAX_PENDING_BYTES)
        self._accepting = False
        self._unsent: deque[Pending] = deque()
        self._unconfirmed: dict[int, Pending] = {}
        self._returned: Counter[tuple[str, str]] = Counter()
        self._sequence_number = 0
        self._channel: Any = None
        self._opened_at = 0.0
        self._nacking = False
        self._deadline_check_scheduled = False
        self._when_drained: Callable[[], None] | None = None

    def accept(self) -> None:
        """Take messages from now on."""
        self._accepting = True

    @property
    def ready(self) -> bool:
        """Whether messages can be sent now."""
        return self._channel is not None

    def publish(self, messages: Sequence[Outgoing]) -> "Future[list[PublishResult]]":
        """Hand messages to the thread that sends them; see `Bus.publish`."""
        if not messages:
            return PendingBatch.resolved(PublishResult.UNKNOWN, 0)
        batch = PendingBatch(len(messages))
        deadline = time.monotonic() + SEND_TIMEOUT_SECONDS
        pending = [Pending(each, batch, index, deadline) for index, each in enumerate(messages)]
        with self._lock:
            has_room = self._pending_count < MAX_PENDING_MESSAGES and not self._pending_bytes.full
            accepted = self._accepting and has_room
            schedule = accepted and not self._handoff_scheduled
            if accepted:
                self._pending_count += len(messages)
                self._pending_bytes.add(sum(len(message.body) for message in messages))
                self._handed_off.extend(pending)
                self._handoff_scheduled = True
        if not accepted:
            return PendingBatch.resolved(PublishResult.UNKNOWN, len(messages))
        if schedule:
            self._ioloop.add_callback_threadsafe(self._take_handed_off)
        return batch.future

    def _take_handed_off(self) -> None:
        with self._lock:
            self._handoff_scheduled = False
            handed_off, self._handed_off = self._handed_off, deque()
        self._unsent.extend(handed_off)
        self._send()
        if self._open:
            self._channel.connection.flush()

    def _send(self) -> None:
        """Send what waits, unless the broker has asked publishers to hold back."""
        deadline = time.monotonic() + CONFIRM_TIMEOUT_SECONDS
        while self._unsent and self._open and not self.connection.blocked and not self._nacking:
            pending = self._unsent.popleft()
            try:
                reached("publish.before")
                self._basic_publish(pending.message)
                reached("publish.after")
            except Exception as error:  # One that cannot be sent must not stop the others.
                log.warning("publish_failed", message_id=pending.message.id, reason=repr(error))
                result = PublishResult.REFUSED if self._open else PublishResult.UNKNOWN
                self._resolve([pending], result)
                continue
            self._sequence_number += 1
            pending.deadline = deadline
            self._unconfirmed[self._sequence_number] = pending
        self._schedule_deadline_check()

    @property
    def _open(self) -> bool:
        return self._channel is not None and self._channel.is_open

    def _basic_publish(self, message: Outgoing) -> None:
        if len(message.body) > MAX_BODY_BYTES:
            raise ValueError(f"the body is larger than {MAX_BODY_BYTES} bytes")
        properties = frames.encode_properties(
            content_type=message.content_type,
            headers=message.headers,
            message_id=message.id,
            timestamp=int(time.time()),
            type=message.type,
            user_id=self._user_id,
            app_id=self._app_id,
        )
        channel, key = self._channel, routing_key(message)
        exchange = self._exchange if message.queue is None else ""
        channel.connection.publish(channel.channel_number, exchange, key, properties, message.body)

    def _resolve(self, messages: Sequence[Pending], result: PublishResult) -> None:
        with self._lock:
            self._pending_count -= len(messages)
            self._pending_bytes.remove(pending.message for pending in messages)
            drained = self._pending_count == 0
        for pending in messages:
            pending.resolve(result)
        if drained:
            self._report_drained()

    # What the broker says.

    def _on_channel_open(self, channel: Any) -> None:
        def selected(_method: Any) -> None:
            self._channel = channel
            self._opened_at = time.monotonic()
            self._sequence_number = 0
            self.connection.mark_ready()
            self._send()

        # The broker refuses a user id that is not the connection's own user. Anybody may be
        # guest: to say so would vouch for nothing.
        user = channel.connection.params.credentials.username
        self._user_id = None if user == "guest" else user
        channel.add_on_return_callback(self._on_return)
        # pika insists on a callback for confirms, but they take the short cut.
        channel.confirm_delivery(ack_nack_callback=lambda _frame: None, callback=selected)
        channel.connection.set_confirm_callback(channel.channel_number, self._on_confirm)

    def _on_channel_closed(self) -> None:
        self._channel = None
        self._nacking = False
        lost, self._unconfirmed = list(self._unconfirmed.values()), {}
        self._returned.clear()
        self._resolve(lost, PublishResult.UNKNOWN)

    def _on_confirm(self, last: int, multiple: bool, ack: bool) -> None:
        """Take an ack or a nack, for one message or for all up to it."""
        result = PublishResult.CONFIRMED if ack else PublishResult.REFUSED
        tags = list(takewhile(lambda tag: tag <= last, self._unconfirmed)) if multiple else [last]
        messages = [self._unconfirmed.pop(tag) for tag in tags if tag in self._unconfirmed]
        if self._returned:
            self._mark_returned(messages)
        self._resolve(messages, result)
        if not ack and time.monotonic() - self._opened_at > NACK_TOLERANCE_SECONDS:
            self._nacking = True
        if self._nacking:
            self._switch_connection()

    def _switch_connection(self) -> None:
        """Go on by another connection, once all that went out by this one is answered for.

        A channel that first speaks to a quorum queue just when its leader has died looks for it
        on the dead node, and refuses whatever is for that queue until the node is back
        (RabbitMQ 3.10). A new channel finds the new leader, and another connection another node.
        """
        if self._open and not self._unconfirmed:
            log.warning("publish_nacked")
            self.connection.abort()

    def _on_return(self, _channel: Any, method: Any, properties: Any, _body: bytes) -> None:
        """Note that nobody has a message: its return comes before its confirm."""
        self._returned[properties.message_id, method.routing_key] += 1

    def _mark_returned(self, messages: Sequence[Pending]) -> None:
        """Mark those of the messages that are now confirmed that had come back."""
        for pending in messages:
            if self._returned[pending.address] > 0:
                pending.returned = True
                self._returned[pending.address] -= 1
        self._returned = +self._returned

    # Giving up in time.

    def _schedule_deadline_check(self) -> None:
        """Look at the deadlines once in a while, only as long as something has one."""
        if not self._deadline_check_scheduled and (self._unsent or self._unconfirmed):
            self._deadline_check_scheduled = True
            self._ioloop.call_later(DEADLINE_CHECK_SECONDS, self._check_deadlines)

    def _check_deadlines(self) -> None:
        self._deadline_check_scheduled = False
        now = time.monotonic()
        late = []
        while self._unsent and self._unsent[0].deadline < now:
            late.append(self._unsent.popleft())
        overdue = list(takewhile(lambda row: row[1].deadline < now, self._unconfirmed.items()))
        late += [self._unconfirmed.pop(tag) for tag, _ in overdue]
        if late:
            log.warning("publish_confirm_timeout", messages=len(late))
            self._resolve(late, PublishResult.UNKNOWN)
        if self._nacking:
            self._switch_connection()
        if overdue and not self.connection.blocked:
            # A channel that has missed how its queue got another leader never confirms again,
            # however alive its connection is. A blocked one is given up by pika in its time.
            self.connection.abort()
        self._send()

    # Starting over and stopping.

    def reconnect(self) -> None:
        """Make a new connection, and look again at all that waits: what was planned may be lost."""
        self._take_handed_off()
        self._deadline_check_scheduled = False
        self._schedule_deadline_check()
        self.connection.reconnect()

    def drain(self, when_drained: Callable[[], None]) -> None:
        """Take no more; report when everything under way has its result."""
        with self._lock:
            self._accepting = False
            drained = self._pending_count == 0
        self._when_drained = when_drained
        if drained:
            self._report_drained()

    def _report_drained(self) -> None:
        when_drained, self._when_drained = self._when_drained, None
        if when_drained is not None:
            when_drained()

    def abandon(self) -> None:
        """Answer for everything that is left, once nothing is sent any more."""
        with self._lock:
            self._accepting = False
            left = [*self._unconfirmed.values(), *self._unsent, *self._handed_off]
            self._handed_off.clear()
        self._when_drained = None
        self._unconfirmed.clear()
        self._unsent.clear()
        self._resolve(left, PublishResult.UNKNOWN)
