"""The bus: what the processing loop asks of a broker, whichever broker it is.

Two adapters keep this Protocol: `shared.messaging.rabbitmq` (pika) and
`shared.messaging.embedded` (kombu's memory transport). One behavioural test suite runs over both.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from shared.base.errors import InfrastructureDown

EXCHANGE = "stappenplan.events"
"""Where the services speak. Whoever is outside has an exchange of his own (`topology.speakers`)."""

NOBODY = "stappenplan.nobody"
"""A routing key that is bound to no queue, and the name of none."""

BROKER_HEADERS = (
    "x-death",
    "x-first-death-",
    "x-last-death-",
    "x-delivery-count",
    "x-acquired-count",
)
"""How the headers begin that are the broker's own. They differ from one delivery to the next, and
RabbitMQ before 4.0 would act upon them if they were sent again."""

PREFETCH = 600
"""How many unacknowledged messages one service may have in hand: a batch for each of two threads
that consume, and one that arrives meanwhile."""

IN_HAND_BYTES = 64 * 1024 * 1024
"""How much their bodies may come to, give or take the last one: with more in hand it reads no
further. A number of messages bounds no memory; one may be a thousand times as large as another."""

BATCH_BYTES = 4 * 1024 * 1024
"""How much the bodies of one batch may come to: read, handled and said again, a body takes several
times its size. One message always fits."""


UNREACHABLE = "the broker cannot be reached, or its queue cannot be read"
ALARM = (
    "the broker takes nothing that is published: it is short of memory or disk space (a resource "
    "alarm); free some, or raise its limit. What is to be said waits until then"
)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as the broker delivered it, not yet read.

    `redelivered` says that it may have been seen before: perhaps it killed the process.
    `damage` says what the adapter could not read of it.
    `exchange` is the one it was published to, as the broker says: empty for what was put straight
    into the queue, None where nobody says (it came over HTTP, or an earlier version kept it).
    `dead_lettered` says why the broker dead-lettered it, when it did: no consumer is to run it
    any more.
    `delivery_tag` is the adapter's own mark for acknowledging; nobody else looks inside.
    """

    body: bytes
    routing_key: str
    content_type: str | None = None
    headers: Mapping[str, object] = field(default_factory=dict)
    message_id: str | None = None
    type: str | None = None
    user_id: str | None = None
    exchange: str | None = None
    redelivered: bool = False
    damage: str | None = None
    dead_lettered: str = ""
    delivery_tag: object = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish, to the exchange of the bus that it is given to.

    With `queue` it goes straight to that queue and to no one else.

    `repeated` says that an earlier try may have reached the consumer; the embedded bus, which
    has no memory of its own, hands that on as `Incoming.redelivered`.
    """

    id: str
    type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/cloudevents+json"
    queue: str | None = None
    repeated: bool = False


class PublishResult(Enum):
    """What the broker said of one published message."""

    CONFIRMED = "confirmed"
    """Every queue that is bound has it; on the embedded bus, every subscriber has acknowledged."""
    UNROUTABLE = "unroutable"
    """No queue is bound to its type there: it was returned, and nobody has it."""
    REFUSED = "refused"
    """The broker said no (nack), e.g. because a queue is full; or it is too large to send."""
    UNKNOWN = "unknown"
    """The connection was lost before an answer came: it may be there, or not."""


class BusDown(InfrastructureDown):
    """The broker cannot be reached now; nothing is lost, try again later."""


class Bus(Protocol):
    """One service's way to the broker. All methods may be called from any thread.

    Receiving keeps a bounded number of messages in hand that were not acknowledged (`PREFETCH`),
    and a bounded number of bytes (`IN_HAND_BYTES`).
    It connects again after every loss of connection: `receive` then simply returns nothing for a
    while, and whatever was not acknowledged is delivered again.
    """

    def open(self) -> None:
        """Start connecting, in the background; returns at once."""

    def publish(self, messages: Sequence[Outgoing]) -> "Future[list[PublishResult]]":
        """Hand messages over; the future gives one result for each, in order.

        Never blocks on the broker and never raises for it: while the broker is away the
        results are `UNKNOWN`, at once or after a bounded time.
        """

    def receive(self, limit: int, wait: float, linger: float) -> list[Incoming]:
        """Return what is there now, at most `limit` messages and `BATCH_BYTES` of bodies.

        Waits at most `wait` seconds for the first one, and then at most `linger` seconds for
        more to join it. Returns an empty list when nothing came or `interrupt` was called.

        What the broker dead-lettered (`Incoming.dead_lettered`) comes along with the rest.
        """

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        """Tell the broker that these are dealt with; harmless when their connection is gone."""

    def pause(self) -> None:
        """Give back what is not acknowledged, and receive nothing until `resume`.

        For as long as nothing can be dealt with: what is in hand while a connection is lost
        counts as delivered once more. To acknowledge what was given back does no harm. Whoever
        calls this calls `resume` as often.
        """

    def resume(self) -> None:
        """Receive again, once everybody who called `pause` has called this."""

    def interrupt(self) -> None:
        """Make every waiting `receive`, or else the next one, return now.

        For stopping: whoever is about to wait hears it too.
        """

    def healthy(self) -> bool:
        """Whether it is connected and, when it consumes, is subscribed to its queue or paused."""

    def trouble(self) -> str:
        """What keeps it from working, in a sentence that names nobody; empty when nothing does.

        Beside what `healthy` tells that is a broker which takes nothing that is published.
        """

    def silent_for(self) -> float:
        """Seconds since the broker was last heard, if only by a heartbeat; 0 for the embedded one.

        Grows while there is no connection, while the one there is has died without a word, and
        while the thread that serves it hangs.
        """

    def close(self) -> None:
        """Stop taking messages, return what is unacknowledged to the broker, and hang up.

        Gives what is being published a bounded time; afterwards every future has its results.
        """
