"""Publishing with pipelined confirms: many messages under way, one answer for each."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import structlog

from shared.crash_points import reached
from shared.messaging.bus import EXCHANGE, MAX_BODY_BYTES, Outgoing, Receipt
from shared.messaging.rabbitmq import frames
from shared.messaging.rabbitmq.line import Line
from shared.messaging.receipts import Receipts

log = structlog.get_logger()

PATIENCE = 5.0
"""Seconds that a message waits for a connection before its publisher is sent away."""

CONFIRM_TIMEOUT = 30.0
"""Seconds that a published message waits for its confirm; then the line is given up, too."""

REFUSING = 2.0
"""Seconds that a channel may refuse messages before another line is tried."""

MOST_AT_ONCE = 20_000
"""With so many messages waiting or under way, more are sent away: memory is no queue."""


@dataclass(slots=True)
class _Parcel:
    """One message on its way."""

    message: Outgoing
    receipts: Receipts
    index: int
    deadline: float
    returned: bool = False

    def answer(self, receipt: Receipt) -> None:
        """Answer for this message; the last one of its batch hands the receipts over."""
        unroutable = self.returned and receipt is Receipt.CONFIRMED
        self.receipts.note(self.index, Receipt.UNROUTABLE if unroutable else receipt)
        if self.receipts.complete:
            self.receipts.hand_over()

    @property
    def address(self) -> tuple[str, str]:
        """What a returned message is known by: its id and its routing key."""
        return self.message.id, _routing_key(self.message)


class Publishing:
    """Sends what is handed to it while the line is up.

    `publish` may be called from any thread; all else runs on the thread of `ioloop`.
    """

    def __init__(self, ioloop: Any, addresses: Sequence[Any], name: str) -> None:
        self._ioloop = ioloop
        self.line = Line(ioloop, addresses, f"{name} publishing", self._up, self._down)
        self._app_id = name
        self._user_id: str | None = None
        self._lock = threading.Lock()
        self._handed_over: deque[_Parcel] = deque()
        self._under_way = 0
        self._hopping = False
        self._accepting = False
        self._waiting: deque[_Parcel] = deque()
        self._sent: dict[int, _Parcel] = {}
        self._returned: Counter[tuple[str, str]] = Counter()
        self._sequence = 0
        self._channel: Any = None
        self._opened_at = 0.0
        self._refusing = False
        self._ticking = False
        self._when_finished: Callable[[], None] | None = None

    def accept(self) -> None:
        """Take messages from now on."""
        self._accepting = True

    @property
    def ready(self) -> bool:
        """Whether messages can be sent now."""
        return self._channel is not None

    def publish(self, messages: Sequence[Outgoing]) -> "Future[list[Receipt]]":
        """Hand messages to the thread that sends them; see `Bus.publish`."""
        if not messages:
            return Receipts.all(Receipt.UNKNOWN, 0)
        receipts = Receipts(len(messages))
        deadline = time.monotonic() + PATIENCE
        with self._lock:
            accepted = self._accepting and self._under_way < MOST_AT_ONCE
            hop = accepted and not self._hopping
            if accepted:
                self._under_way += len(messages)
                self._hopping = True
                self._handed_over.extend(
                    _Parcel(message, receipts, index, deadline)
                    for index, message in enumerate(messages)
                )
        if not accepted:
            return Receipts.all(Receipt.UNKNOWN, len(messages))
        if hop:
            self._ioloop.add_callback_threadsafe(self._collect)
        return receipts.future

    def _collect(self) -> None:
        with self._lock:
            self._hopping = False
            parcels, self._handed_over = self._handed_over, deque()
        self._waiting.extend(parcels)
        self._send()

    def _send(self) -> None:
        """Send what waits, unless the broker has asked publishers to hold back."""
        overdue = time.monotonic() + CONFIRM_TIMEOUT
        while self._waiting and self._open and not self.line.blocked and not self._refusing:
            parcel = self._waiting.popleft()
            try:
                reached("publish.before")
                self._basic_publish(parcel.message)
                reached("publish.after")
            except Exception as error:  # One that cannot be sent must not stop the others.
                log.warning(
                    "message_not_sendable", message_id=parcel.message.id, reason=repr(error)
                )
                self._answer([parcel], Receipt.REFUSED if self._open else Receipt.UNKNOWN)
                continue
            self._sequence += 1
            parcel.deadline = overdue
            self._sent[self._sequence] = parcel
        self._tick()

    @property
    def _open(self) -> bool:
        return self._channel is not None and self._channel.is_open

    def _basic_publish(self, message: Outgoing) -> None:
        if len(message.body) > MAX_BODY_BYTES:
            raise ValueError(f"the body is larger than {MAX_BODY_BYTES} bytes")
        properties = frames.properties(
            content_type=message.content_type,
            headers=message.headers,
            message_id=message.id,
            timestamp=int(time.time()),
            type=message.type,
            user_id=self._user_id,
            app_id=self._app_id,
        )
        channel = self._channel
        exchange = EXCHANGE if message.queue is None else ""
        key = _routing_key(message)
        channel.connection.publish(channel.channel_number, exchange, key, properties, message.body)

    def _answer(self, parcels: Sequence[_Parcel], receipt: Receipt) -> None:
        with self._lock:
            self._under_way -= len(parcels)
            finished = self._under_way == 0
        for parcel in parcels:
            parcel.answer(receipt)
        if finished:
            self._report_finished()

    # What the broker says.

    def _up(self, channel: Any) -> None:
        def selected(_method: Any) -> None:
            self._channel = channel
            self._opened_at = time.monotonic()
            self._sequence = 0
            self.line.settled()
            self._send()

        # The broker refuses a user id that is not the connection's own user. Anybody may be
        # guest: to say so would vouch for nothing.
        user = channel.connection.params.credentials.username
        self._user_id = None if user == "guest" else user
        channel.add_on_return_callback(self._note_return)
        # pika insists on a callback for confirms, but they take the short cut.
        channel.confirm_delivery(ack_nack_callback=lambda _frame: None, callback=selected)
        channel.connection.hear_confirms(channel.channel_number, self._confirmed)

    def _down(self) -> None:
        self._channel = None
        self._refusing = False
        lost, self._sent = list(self._sent.values()), {}
        self._returned.clear()
        self._answer(lost, Receipt.UNKNOWN)

    def _confirmed(self, last: int, multiple: bool, yes: bool) -> None:
        """Take an ack or a nack, for one message or for all up to it."""
        receipt = Receipt.CONFIRMED if yes else Receipt.REFUSED
        tags = list(takewhile(lambda tag: tag <= last, self._sent)) if multiple else [last]
        parcels = [self._sent.pop(tag) for tag in tags if tag in self._sent]
        if self._returned:
            self._recognise(parcels)
        self._answer(parcels, receipt)
        if not yes and time.monotonic() - self._opened_at > REFUSING:
            self._refusing = True
        if self._refusing:
            self._go_elsewhere()

    def _go_elsewhere(self) -> None:
        """Go on by another line, once all that went out by this one is answered for.

        A channel that first speaks to a quorum queue just when its leader has died looks for it
        on the dead node, and refuses whatever is for that queue until the node is back
        (RabbitMQ 3.10). A new channel finds the new leader, and another line another node.
        """
        if self._open and not self._sent:
            log.warning("publishing_refused")
            self.line.abort()

    def _note_return(self, _channel: Any, method: Any, properties: Any, _body: bytes) -> None:
        """Note that nobody has a message: its return comes before its confirm."""
        self._returned[properties.message_id, method.routing_key] += 1

    def _recognise(self, parcels: Sequence[_Parcel]) -> None:
        """Tell which of the messages that are now confirmed had come back."""
        for parcel in parcels:
            if self._returned[parcel.address] > 0:
                parcel.returned = True
                self._returned[parcel.address] -= 1
        self._returned = +self._returned

    # Giving up in time.

    def _tick(self) -> None:
        """Look at the deadlines once in a while, only as long as something has one."""
        if not self._ticking and (self._waiting or self._sent):
            self._ticking = True
            self._ioloop.call_later(0.5, self._look_at_deadlines)

    def _look_at_deadlines(self) -> None:
        self._ticking = False
        now = time.monotonic()
        late = []
        while self._waiting and self._waiting[0].deadline < now:
            late.append(self._waiting.popleft())
        overdue = list(takewhile(lambda one: one[1].deadline < now, self._sent.items()))
        late += [self._sent.pop(tag) for tag, _ in overdue]
        if late:
            log.warning("publishing_unanswered", messages=len(late))
            self._answer(late, Receipt.UNKNOWN)
        if self._refusing:
            self._go_elsewhere()
        if overdue and not self.line.blocked:
            # A channel that has missed how its queue got another leader never confirms again,
            # however alive its connection is. A blocked line is given up by pika in its time.
            self.line.abort()
        self._send()

    # Starting over and stopping.

    def start_over(self) -> None:
        """Make a new connection, and look at the deadlines again: the timers may be lost."""
        self._ticking = False
        self._tick()
        self.line.start_over()

    def finish(self, when_finished: Callable[[], None]) -> None:
        """Take no more; report when everything under way is answered."""
        with self._lock:
            self._accepting = False
            finished = self._under_way == 0
        self._when_finished = when_finished
        if finished:
            self._report_finished()

    def _report_finished(self) -> None:
        when_finished, self._when_finished = self._when_finished, None
        if when_finished is not None:
            when_finished()

    def abandon(self) -> None:
        """Answer for everything that is left, once nothing is sent any more."""
        with self._lock:
            self._accepting = False
            left = [*self._sent.values(), *self._waiting, *self._handed_over]
            self._handed_over.clear()
        self._when_finished = None
        self._sent.clear()
        self._waiting.clear()
        self._answer(left, Receipt.UNKNOWN)


def _routing_key(message: Outgoing) -> str:
    return message.type if message.queue is None else message.queue
