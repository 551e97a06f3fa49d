"""What handlers returned becomes rows: each kind of effect has a sink.

A sink stores its kind inside the transaction, and acts once that has committed: it publishes, or
wakes whoever goes on. The engine brings two, for events and for commands to be handled later; the
product adds its own (`shared.notifications.queue`).

Ids are derived from the message that led to them, so that a message which is processed again
after a rollback leads to the very same effects again.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple, Protocol

from shared.events.envelope import Envelope, derived_id
from shared.events.event import Event
from shared.processing.handlers.messages import Answer, Effect, EventFor, Message, Scheduled
from shared.processing.handlers.registry import Caused
from shared.processing.store import outbox, schedule
from shared.processing.store.outbox import OutboxEntry
from shared.processing.unit_of_work import UnitOfWork
from shared.processing.worker.publisher import OutboxPublisher

WAKE_WITHIN = timedelta(minutes=1)
"""Commands for later than this are found in time by those who look around once in a while."""


class CausedEffect(NamedTuple):
    """One effect, the message that led to it, and the id that it has for that reason."""

    id: str
    effect: Effect
    cause: Envelope

    @property
    def subject(self) -> str:
        """The onboarding that it is about: the cause's own, unless the effect names another."""
        return getattr(self.effect, "about", None) or self.cause.subject


class Sink(Protocol):
    """Stores one kind of effect, or several, in the transaction that led to them."""

    @property
    def kinds(self) -> tuple[type, ...]:
        """The classes of the effects that it takes."""

    def store(self, work: UnitOfWork, effects: Sequence[CausedEffect]) -> None:
        """Store them, in one statement where that is possible."""


class Effects:
    """Gives each effect of a transaction to the sink that takes its kind."""

    def __init__(self, service: str, sinks: Sequence[Sink]) -> None:
        self._service = service
        self._sinks = sinks
        self._by_class: dict[type, Sink] = {}

    def store(self, work: UnitOfWork, caused: Sequence[Caused]) -> None:
        """Store all effects of this transaction, each kind in one go.

        Raises:
            TypeError: no sink takes an effect: its handler is at fault.
        """
        by_sink: dict[int, list[CausedEffect]] = {}
        for cause, effects in caused:
            for position, effect in enumerate(effects):
                effect_id = derived_id(self._service, cause.id, position)
                sink = self._sink_of(type(effect))
                by_sink.setdefault(id(sink), []).append(CausedEffect(effect_id, effect, cause))
        for sink in self._sinks:
            if id(sink) in by_sink:
                sink.store(work, by_sink[id(sink)])

    def _sink_of(self, kind: type) -> Sink:
        if kind not in self._by_class:
            takers = [sink for sink in self._sinks if issubclass(kind, sink.kinds)]
            if not takers:
                raise TypeError(f"a handler returned a {kind.__name__}, which no sink takes")
            self._by_class[kind] = takers[0]
        return self._by_class[kind]


class AnswerSink:
    """Stores no answer: whoever asked is given it with the other effects, once all is committed."""

    kinds = (Answer,)

    def store(self, work: UnitOfWork, effects: Sequence[CausedEffect]) -> None:
        """Leave them to whoever asked."""


class OutboxSink:
    """Writes events to the outbox, and has them published after the commit."""

    kinds = (Event, EventFor)

    def __init__(self, service: str, publisher: OutboxPublisher) -> None:
        self._source = f"/services/{service}"
        self._publisher = publisher

    def store(self, work: UnitOfWork, effects: Sequence[CausedEffect]) -> None:
        """Insert the events in one statement."""
        now = work.now
        entries = [self._to_entry(caused, now, work.actor) for caused in effects]
        outbox.write(work.session, entries, now)
        work.after_commit(partial(self._publisher.publish, entries))

    def _to_entry(self, caused: CausedEffect, now: datetime, actor: str | None) -> OutboxEntry:
        effect, cause = caused.effect, caused.cause
        subject, event = (
            (effect.subject, effect.event)
            if isinstance(effect, EventFor)
            else (cause.subject, effect)
        )
        assert isinstance(event, Event)  # noqa: S101 - by its kind.
        envelope = Envelope(
            id=caused.id,
            source=self._source,
            type=event.event_type,
            subject=subject,
            time=now,
            causationid=cause.id,
            traceparent=cause.traceparent,
            actor=actor,
        )
        body = envelope.to_bytes_with(event)
        return OutboxEntry(caused.id, event.event_type, subject, body, cause.traceparent)


class ScheduleSink:
    """Keeps commands in the inbox until they are due."""

    kinds = (Scheduled,)

    def __init__(self, service: str, wake: Callable[[], None]) -> None:
        self._service = service
        self._wake = wake

    def store(self, work: UnitOfWork, effects: Sequence[CausedEffect]) -> None:
        """Keep all in one statement, each under its own key; one that is known stays as it is."""
        now = work.now
        timers = [self._timer(caused, now) for caused in effects]
        schedule.schedule(work.session, timers, now)
        if any(due < now + WAKE_WITHIN for _, due in timers):
            work.after_commit(self._wake)

    def _timer(self, caused: CausedEffect, now: datetime) -> tuple[Message, datetime]:
        scheduled = caused.effect
        assert isinstance(scheduled, Scheduled)  # noqa: S101 - by its kind.
        message = Message.from_command(
            scheduled.command,
            subject=caused.subject,
            message_id=derived_id(self._service, scheduled.key, "later"),
            source=f"/services/{self._service}",
            time=now,
            cause=caused.cause,
        )
        return message, scheduled.due
