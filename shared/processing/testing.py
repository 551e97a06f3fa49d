"""A harness for handlers: a service's own table of subscriptions, run in memory.

    billing = Harness(SUBSCRIPTIONS, resources={Catalogue: catalogue, Settings: settings})
    heard = billing.hear(registration, about="bakkerij")
    assert heard.one(OrderPlaced).reference == "O-1"
    billing.pass_days(7)  # What was scheduled until then is done, the earliest first.

Everything is real but the database: parameters are bound, keys are checked, just what a
subscription declares is loaded, a message that comes twice is claimed once, and what a handler
raises leaves no trace. `RecordingBus` stands in for a broker where a whole engine is run.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar
from uuid import UUID, uuid5

from sqlmodel import SQLModel

from shared.events.envelope import Envelope
from shared.events.event import Event
from shared.messaging.bus import UNREACHABLE, Incoming, Outgoing, PublishResult
from shared.processing.handlers.loading import Load, Wanted
from shared.processing.handlers.messages import (
    Command,
    Effect,
    EventFor,
    Message,
    Now,
    RawEvent,
    Scheduled,
)
from shared.processing.handlers.registry import HandlerRegistry, Subscription
from shared.processing.sequential_numbers import SequentialNumbers
from shared.processing.store.numbers import Numbers

NAMES = UUID("00000000-0000-0000-0000-000000000042")
"""Ids of customers are derived from their names in here."""

SOURCE = "/test"
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

T = TypeVar("T")
M = TypeVar("M", bound=SQLModel)


def onboarding(name: str) -> str:
    """The onboarding id of the customer whom a test calls by this name."""
    return str(uuid5(NAMES, name))


class Heard(list[Effect]):
    """What a service returned upon one message, or several."""

    @property
    def events(self) -> list[Event]:
        """Its events, whomever they are about."""
        bare = [effect.event if isinstance(effect, EventFor) else effect for effect in self]
        return [effect for effect in bare if isinstance(effect, Event)]

    @property
    def scheduled(self) -> list[Scheduled]:
        """The commands that it put off."""
        return self.all(Scheduled)

    def all(self, kind: type[T]) -> list[T]:
        """Its effects of one kind: an event's class, or that of another effect."""
        effects: Sequence[object] = self.events if issubclass(kind, Event) else self
        return [effect for effect in effects if isinstance(effect, kind)]

    def one(self, kind: type[T]) -> T:
        """Its only effect of one kind."""
        (effect,) = self.all(kind)
        return effect


class Harness:
    """A service in memory: what it knows, what it has said, and what it put off until later.

    `resources` are what its handlers ask for by type; numbers are given from one on. `rows` are
    what it knows from the start.

    Raises:
        TypeError: a handler asks for what nobody provides.
    """

    def __init__(
        self,
        subscriptions: Sequence[Subscription],
        *,
        resources: Mapping[type, object] | None = None,
        rows: Iterable[SQLModel] = (),
        now: datetime = MONDAY,
    ) -> None:
        self.now = now
        self.said: list[Event] = []
        self.scheduled: dict[str, tuple[Scheduled, str]] = {}
        self._rows: dict[type[SQLModel], list[Any]] = {}
        self._claimed: set[str] = set()
        self._ids = count(1)
        provided = {Numbers: SequentialNumbers(), **(resources or {})}
        self._handlers = HandlerRegistry("harness", subscriptions, provided)
        self.add(*rows)

    def add(self, *rows: SQLModel) -> None:
        """Have it know these rows."""
        for row in rows:
            self._rows.setdefault(type(row), []).append(row)

    def rows(self, model: type[M]) -> list[M]:
        """All that it knows of one kind."""
        return list(self._rows.get(model, []))

    def row(self, model: type[M], **values: Any) -> M:
        """The only row of one kind with these values."""
        (row,) = [
            row
            for row in self.rows(model)
            if all(getattr(row, name) == value for name, value in values.items())
        ]
        return row

    def hear(
        self,
        event: Event,
        about: str = "bakkerij",
        *,
        message: str | None = None,
        time: datetime | None = None,
    ) -> Heard:
        """An event comes in about the customer of this name; returns what was said upon it.

        `message` names it, for one that is delivered twice; `time` is its own, for one that is
        late.
        """
        return self.deliver(event, event.event_type, about, message=message, time=time)

    def hear_raw(
        self,
        event: RawEvent,
        about: str = "bakkerij",
        *,
        message: str | None = None,
        source: str = SOURCE,
    ) -> Heard:
        """An event comes in just as its sender, `source`, wrote it."""
        return self.deliver(
            event, event.event_type, about, message=message, data=event.data, source=source
        )

    def ask(self, command: Command, about: str = "bakkerij") -> Heard:
        """A person, or the clock, asks for something; returns what was said upon it."""
        return self.deliver(command, command.command_type, about)

    def pass_days(self, days: float) -> Heard:
        """Time goes by: what was put off until then is done, the earliest first."""
        until, heard = self.now + timedelta(days=days), Heard()
        while due := [key for key, (put_off, _) in self.scheduled.items() if put_off.due <= until]:
            key = min(due, key=lambda key: self.scheduled[key][0].due)
            scheduled, subject = self.scheduled[key]
            self.now = max(self.now, scheduled.due)
            command = scheduled.command
            heard += self._run(command, command.command_type, subject, f"later/{key}")
            del self.scheduled[key]  # Not before: one that fails is still to be done.
        self.now = until
        return heard

    def deliver(
        self,
        content: Event | Command | RawEvent,
        kind: str,
        about: str,
        *,
        message: str | None = None,
        time: datetime | None = None,
        data: Mapping[str, Any] | None = None,
        source: str = SOURCE,
    ) -> Heard:
        """One message about the customer of this name; returns what was said upon it."""
        name = message or f"message {next(self._ids)}"
        return self._run(
            content, kind, onboarding(about), name, time=time, data=data, source=source
        )

    def forget_messages(self) -> None:
        """Forget which messages came, as the inbox does after a month."""
        self._claimed.clear()

    def _run(
        self,
        content: Event | Command | RawEvent,
        kind: str,
        subject: str,
        name: str,
        *,
        time: datetime | None = None,
        data: Mapping[str, Any] | None = None,
        source: str = SOURCE,
    ) -> Heard:
        message_id = str(uuid5(NAMES, name))
        if message_id in self._claimed:
            return Heard()
        at = time or self.now
        envelope = Envelope(message_id, source, kind, subject, at, data=data or {})
        message = Message(envelope, content, Incoming(b"", kind))
        heard = self._handle(message)
        self._claimed.add(message_id)
        self.said += heard.events
        for scheduled in heard.scheduled:
            self.scheduled.setdefault(scheduled.key, (scheduled, scheduled.about or subject))
        return heard

    def _handle(self, message: Message) -> Heard:
        """Run the handler; what it raises leaves the rows as they were."""
        entities = self._handlers.load([message], self._fetch_all, Now(self.now))
        loaded = [row for rows in entities.values() for row in rows]
        before = [dict(row.__dict__) for row in loaded]
        entities.release()
        try:
            ((_, effects),) = self._handlers.run([message], entities, Now(self.now), _Unwatched())
        except BaseException:
            for row, state in zip(loaded, before, strict=True):
                row.__dict__.update(state)
            raise
        for added in entities.added:
            self.add(*added)
        return Heard(effects)

    def _fetch_all(self, wanted: Sequence[Wanted]) -> Iterable[Iterable[SQLModel]]:
        return [self._fetch(load, keys) for load, keys in wanted]

    def _fetch(self, load: Load, keys: set[Any]) -> Iterable[SQLModel]:
        return [row for row in self.rows(load.model) if load.matches(row, keys)]


class _Unwatched:
    """Nobody watches over a handler in a test."""

    message: Message | None = None

    def end(self) -> None:
        """No handler runs any more."""


class RecordingBus:
    """A bus that keeps what is published, answers it by `result`, and gives out `deliveries`."""

    def __init__(self, result: PublishResult = PublishResult.CONFIRMED) -> None:
        self.result = result
        self.published: list[Outgoing] = []
        self.acknowledged: list[Incoming] = []
        self.deliveries: list[list[Incoming]] = []
        self.up = True

    def open(self) -> None:
        """There is nothing to connect to, to pause or to wake."""

    pause = resume = interrupt = open

    def publish(self, messages: Sequence[Outgoing]) -> "Future[list[PublishResult]]":
        """Keep the messages, and answer at once."""
        self.published += messages
        answer: Future[list[PublishResult]] = Future()
        answer.set_result([self.result] * len(messages))
        return answer

    def receive(self, limit: int, wait: float, linger: float) -> list[Incoming]:
        """The next batch, if there is one."""
        return self.deliveries.pop(0)[:limit] if self.deliveries else []

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        """Keep what was acknowledged."""
        self.acknowledged += messages

    def healthy(self) -> bool:
        """Whether it is said to be up."""
        return self.up

    def trouble(self) -> str:
        """What is said to keep it from working."""
        return "" if self.up else UNREACHABLE

    def silent_for(self) -> float:
        """It is never silent."""
        return 0.0

    def close(self) -> None:
        """There is nothing to hang up."""
