"""A broker that does whatever a broker may do, when the model says so.

It keeps AMQP's promises and no others: what it has confirmed is in every queue that was bound;
what was not acknowledged comes again, marked as redelivered. Beyond that it may lose messages
that it has not confirmed, confirm late or never, refuse, return, deliver twice and out of order.
Nothing happens in it by itself: no thread, no clock. That real brokers behave so is shown in
`tests/faults`; here it is only the adversary.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from shared.base.crash_points import reached as nothing_happens
from shared.events import CustomerLoggedIn, CustomerReleased
from shared.messaging.batches import Room
from shared.messaging.bus import Incoming, Outgoing, PublishResult
from tests.model.chain import HEARER, TELLER

SCRIBE = "scribe"
"""A queue that nobody reads: with it bound, an event that the hearer misses is routed still."""

HEARD_BY = {
    CustomerReleased.event_type: (TELLER,),
    CustomerLoggedIn.event_type: (HEARER, SCRIBE),
}
BATCH_ROOM = 2_000
"""Bytes for a batch, and for what is swept at a time: four messages are large, to this world."""

FATES = ("confirmed", "arrived", "unconfirmed", "lost", "refused")
"""What becomes of a published message: it arrives and its publisher hears so; it arrives, and the
answer is still to come; it arrives, and the answer is lost; it is lost itself; it is refused."""


@dataclass(eq=False)
class Publication:
    """Messages that were published together, on their way; `routed` tells which arrived."""

    messages: Sequence[Outgoing]
    future: "Future[list[PublishResult]]"
    routed: dict[int, bool] = field(default_factory=dict)


class Broker:
    """Exchange and queues."""

    def __init__(self) -> None:
        self.queues: dict[str, list[Incoming]] = defaultdict(list)
        self.unbound: set[str] = set()
        self.arrived: dict[str, dict[str, Incoming]] = defaultdict(dict)
        """What was ever put into a queue and was not lost with it, by its id."""
        self.routed: set[str] = set()
        """The ids of all that was ever put into any queue."""
        self.ghosts: list[str] = []
        """The ids of what was published before it was committed."""

    def route(self, message: Outgoing) -> bool:
        """Put a message into every queue that is bound; whether there was one."""
        queues = [message.queue] if message.queue else HEARD_BY[message.type]
        bound = [queue for queue in queues if queue not in self.unbound or message.queue]
        for queue in bound:
            incoming = Incoming(
                message.body,
                message.queue or message.type,
                message.content_type,
                message.headers,
                message_id=message.id,
                type=message.type,
            )
            self.put(queue, incoming)
        return bool(bound)

    def put(self, queue: str, message: Incoming) -> None:
        """One more message at the end of a queue."""
        self.queues[queue].append(message)
        self.arrived[queue][identity(message)] = message
        self.routed.add(identity(message))

    def delete(self, queue: str) -> None:
        """A queue is deleted and made anew, unbound: what it held is gone."""
        for message in self.queues.pop(queue, []):
            self.arrived[queue].pop(identity(message), None)
        self.unbound.add(queue)


class Line:
    """One process's line to the broker: the `Bus` that the product is given."""

    def __init__(self, broker: Broker, queue: str, is_committed: Callable[[str], bool]) -> None:
        self._broker = broker
        self._queue = queue
        self._is_committed = is_committed
        self._offered: list[Incoming] = []
        self._hung_up: Callable[[], None] = lambda: None
        self._in_hand: list[Incoming] = []
        self.on_the_wire: list[Publication] = []
        self.reached: Callable[[str], None] = nothing_happens
        self.loses_acknowledgements = False

    def open(self) -> None: ...

    def publish(self, messages: Sequence[Outgoing]) -> "Future[list[PublishResult]]":
        """Take messages; nothing becomes of them until `answer` says what."""
        self._broker.ghosts += [
            message.id for message in messages if not self._is_committed(message.id)
        ]
        self.reached("publish.before")
        future: Future[list[PublishResult]] = Future()
        self.on_the_wire.append(Publication(list(messages), future))
        self.reached("publish.after")
        return future

    def answer(self, publication: Publication, fates: Sequence[str]) -> None:
        """Decide what becomes of a publication, message by message; `fates` begin again."""
        self.arrive(publication, fates)
        if "arrived" in fates:
            return
        self.on_the_wire.remove(publication)
        receipts = [
            _receipt(fates[index % len(fates)], publication.routed.get(index))
            for index in range(len(publication.messages))
        ]
        publication.future.set_result(receipts)

    def arrive(self, publication: Publication, fates: Sequence[str]) -> None:
        """Let those arrive that are to, without an answer."""
        for index, message in enumerate(publication.messages):
            arrives = fates[index % len(fates)] in ("confirmed", "arrived", "unconfirmed")
            if arrives and index not in publication.routed:
                publication.routed[index] = self._broker.route(message)

    @contextmanager
    def offering(self, messages: Sequence[Incoming], hung_up: Callable[[], None]) -> Iterator[None]:
        """Have the next calls of `receive` give these, and the one after them end the consumer."""
        self._offered, self._hung_up = list(messages), hung_up
        try:
            yield
        finally:
            # What it never came to is still the broker's.
            self._broker.queues[self._queue][:0] = self._offered
            self._offered = []

    def receive(self, limit: int, wait: float, linger: float) -> list[Incoming]:
        """Give what is offered, once, as far as a batch has room for it."""
        if not self._offered:
            self._hung_up()
        room, batch = Room(limit, BATCH_ROOM), []
        while self._offered and room.admit(len(self._offered[0].body)):
            batch.append(self._offered.pop(0))
        self._in_hand += batch
        return batch

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        """Forget these, unless the connection is lost before the broker hears of it."""
        if self.loses_acknowledgements:
            self.requeue()
        self._in_hand = [
            message for message in self._in_hand if not any(message is each for each in messages)
        ]

    def requeue(self) -> None:
        """The connection is gone: what was not acknowledged goes back to where it came from."""
        again = [replace(message, redelivered=True) for message in self._in_hand]
        self._broker.queues[self._queue][:0] = again
        self._in_hand = []

    @property
    def holds(self) -> bool:
        """Whether the process has messages that it did not acknowledge."""
        return bool(self._in_hand)

    def pause(self) -> None:
        """Give back what is in hand, and so have it delivered once more."""
        self.requeue()

    def resume(self) -> None: ...

    def interrupt(self) -> None: ...

    def healthy(self) -> bool:
        return True

    def trouble(self) -> str:
        return ""

    def silent_for(self) -> float:
        return 0.0

    def close(self) -> None:
        """Hang up: what is on the wire is lost, and nobody knows whether it arrived."""
        self.requeue()
        for publication in list(self.on_the_wire):
            self.answer(publication, ["lost"])


class Straight(Line):
    """The administrator's line, which a replay takes: confirmed at once."""

    def publish(self, messages: Sequence[Outgoing]) -> "Future[list[PublishResult]]":
        future: Future[list[PublishResult]] = Future()
        publication = Publication(list(messages), future)
        self.on_the_wire.append(publication)
        self.answer(publication, ["confirmed"])
        return future


def _receipt(fate: str, routed: bool | None) -> PublishResult:
    if fate == "confirmed":
        return PublishResult.CONFIRMED if routed else PublishResult.UNROUTABLE
    return PublishResult.REFUSED if fate == "refused" else PublishResult.UNKNOWN


def identity(message: Incoming) -> str:
    """The id of the event in a message."""
    return str(json.loads(message.body)["id"])


def reference_of(message: Incoming) -> str:
    """The reference of the fact in a message."""
    data = json.loads(message.body)["data"]
    return str(data.get("order_reference") or data["login_name"])
