"""A service at work: its database, its line to the broker, its threads, its requests."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4, uuid5

from sqlmodel import Session

from shared.database import Database
from shared.envelope import CONTENT_TYPE, NAMESPACE, Envelope
from shared.errors import InfrastructureDown, Invalid, Malformed, Unavailable
from shared.events.event import Event
from shared.messaging.bus import Bus, Incoming
from shared.notifications.postman import Postman
from shared.notifications.senders import Senders
from shared.notifications.writers import Writers
from shared.processing.chores import Chores
from shared.processing.dispatch import Dispatcher
from shared.processing.handling import Handling
from shared.processing.loops import CONSUMERS, Chore, Consumption
from shared.processing.messages import About, Delivery, Message, Request
from shared.processing.numbers import StockedNumbers
from shared.processing.outbox import OutboxRelay
from shared.processing.reading import Reader
from shared.processing.service import Service
from shared.processing.speech import Speech
from shared.processing.transactions import Transactions
from shared.schema import upgrade
from shared.settings import Settings


@dataclass
class Desk:
    """A transaction in hand, and what is to be said when it commits."""

    session: Session
    messages: list[Message] = field(default_factory=list)

    def say(self, subject: str, event: Event) -> None:
        """Say something about an onboarding, with this transaction."""
        self.messages.append(About(subject, event))


Clock = Callable[[], datetime]
T = TypeVar("T")


def utc_now() -> datetime:
    """The clock on the wall."""
    return datetime.now(UTC)


class Runtime:
    """Runs one service; `start` and `stop` are for the runner, the rest for its routes."""

    def __init__(
        self,
        service: Service,
        settings: Settings,
        bus: Bus,
        senders: Senders,
        clock: Clock = utc_now,
        writers: Writers | None = None,
    ) -> None:
        self.service = service
        self.settings = settings
        self.database = Database(settings.database_url_of(service.name))
        self.bus = bus
        self.clock = clock
        self.numbers = StockedNumbers(self.database, service.series)
        self.relay = OutboxRelay(bus, self.database, clock)
        self.reader = Reader(service, strict_publishers=settings.strict_publishers)
        self.speech = speech = Speech(service.name, self.relay, self.reader, clock)
        self.transactions = Transactions(self.database, self.relay, speech, self.numbers)
        handling = Handling(service, self.numbers)
        self.dispatcher = Dispatcher(self.reader, handling, speech, self.transactions, clock)
        self._writers = writers or Writers(settings.mail_from)
        self.postman = Postman(
            service.notices,
            service.templates,
            self._writers,
            senders,
            self.transactions,
            speech,
            clock,
        )
        name = service.name
        # SQLite has one writer at a time: a second thread would only queue up behind the first.
        consumers = 1 if self.database.is_sqlite else CONSUMERS
        self._consuming = [Consumption(name, bus, self.dispatcher) for _ in range(consumers)]
        self.chores = Chores(
            name, self.transactions, self.relay, self.dispatcher, self.postman, bus, clock
        )
        self.chores.be_woken(speech, self.dispatcher)

    # For the runner.

    def start(self) -> None:
        """Bring the database up to date, write what ships with the product, begin to consume."""
        upgrade(self.database, self.service.migrations)
        if self.service.at_start:
            self.service.at_start(self)
        if self.settings.embedded:
            # A sole process: whatever is unpublished was left behind by one that is gone.
            self.relay.release_leases()
        self.bus.open()
        for thread in self._threads:
            thread.start()

    def interrupt(self) -> None:
        """Ask every thread to stop after the work in hand."""
        self.postman.stopping.set()
        for thread in self._threads:
            thread.stop()

    def stop(self, patience: float = 20.0) -> None:
        """Finish the work in hand, take no more, hang up; after `patience` seconds, hang up."""
        self.interrupt()
        deadline = time.monotonic() + patience
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))
        self._writers.close()
        self.bus.close()
        # What the broker confirmed at the last moment need not be published again.
        with suppress(InfrastructureDown), self.transactions.infrastructure():
            self.relay.settle()
        self.database.close()

    @property
    def _threads(self) -> list[Consumption | Chore]:
        return [*self._consuming, *self.chores]

    def at_work(self) -> list[str]:
        """The threads that are still at work, by name."""
        return [thread.name for thread in self._threads if thread.is_alive()]

    def healthy(self) -> bool:
        """Whether every thread is alive."""
        return all(thread.is_alive() for thread in self._threads)

    def look(self) -> bool:
        """Look in on the handlers; whether the process must end, since one of them hangs.

        What hangs is broken off and on record; see `shared.processing.watch`.
        """
        return self.dispatcher.look()

    def deaf(self) -> bool:
        """Whether it has not heard its broker for longer than any line takes to mend itself."""
        return self.bus.silent_for() > self.settings.broker_silence_seconds

    def troubles(self) -> list[str]:
        """What keeps this service from working now, in words; nothing when it is ready."""
        found = []
        if not self.database.answers():
            found.append("the database does not answer")
        if not self.bus.healthy():
            found.append("the broker cannot be reached, or its queue cannot be read")
        if any(thread.held_up for thread in self._consuming):
            found.append("consumption is paused")
        return found

    # For its routes.

    def handle(
        self, request: Request, *, subject: str, by: str, key: str | None = None
    ) -> Sequence[Message] | None:
        """Handle a person's request in one transaction; returns what was said.

        `by` is who asks; `key` makes a repeat harmless (Idempotency-Key), and then the answer
        is None.

        Raises:
            Problem: it cannot be done, and nothing was changed.
            Unavailable: the database is away; the same request will work later.
        """
        delivery = self.reader.request(
            request,
            subject=subject,
            request_id=_request_id(by, request.request_type, key),
            source=by,
            time=self.clock(),
        )
        return self._dispatch(delivery)

    def handle_event(
        self, event_type: str, data: Mapping[str, Any], *, subject: str, by: str, key: str | None
    ) -> Sequence[Message] | None:
        """Handle an event that came over HTTP by the very handler that hears it from the broker.

        Raises:
            Problem: it cannot be accepted, and nothing was changed.
            Unavailable: the database is away; the same request will work later.
        """
        envelope = Envelope(
            id=_request_id(by, event_type, key),
            source=by,
            type=event_type,
            subject=subject,
            time=self.clock(),
            data=data,
        )
        incoming = Incoming(envelope.to_bytes(), event_type, CONTENT_TYPE, message_id=envelope.id)
        try:
            delivery = self.reader.read_again(incoming)
        except Malformed as refusal:
            raise Invalid("event_malformed", str(refusal)) from None
        return self._dispatch(delivery)

    def _dispatch(self, delivery: Delivery) -> Sequence[Message] | None:
        try:
            return self.dispatcher.request(delivery)
        except InfrastructureDown as down:
            raise Unavailable(
                "try_later", "The database is away for a moment; please try again."
            ) from down

    def wake(self) -> None:
        """Look at once for what is due: somebody has just retried a message or a mail."""
        self.chores.due.wake()
        self.chores.mail.wake()

    def resource(self, kind: type[T]) -> T:
        """What the service has of this type, as its handlers get it.

        Raises:
            TypeError: it has none.
        """
        found = self.service.resources.get(kind)
        if not isinstance(found, kind):
            raise TypeError(f"{self.service.name} has no {kind.__name__}")
        return found

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads."""
        with self.database.read() as session:
            yield session

    @contextmanager
    def writing(self, subject: str, by: str) -> Iterator["Desk"]:
        """A transaction for a request whose contents must not be kept, such as a log-in."""
        cause = Envelope(str(uuid4()), by, "request", subject, self.clock())
        with self.transactions.infrastructure(), self.database.begin() as session:
            desk = Desk(session)
            yield desk
            self.speech.write(session, [(cause, desk.messages)])
        self.speech.committed(session)


def _request_id(by: str, name: str, key: str | None) -> str:
    return str(uuid5(NAMESPACE, f"{by}/{name}/{key}") if key else uuid4())
