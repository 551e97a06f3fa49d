"""What a service's routes ask of it: handle a command or an event, read, write."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID, uuid4

from sqlmodel import Session

from shared.base.errors import Invalid, Malformed
from shared.events.envelope import CONTENT_TYPE, Envelope
from shared.events.event import Event
from shared.host.keys import derived_id
from shared.host.service import Service
from shared.host.settings import Settings
from shared.messaging.bus import Incoming
from shared.persistence.clock import Clock
from shared.persistence.database import Database
from shared.processing import Command, Effect, EventFor, Message, Person
from shared.processing.engine import Engine
from shared.processing.store import acts
from shared.processing.unit_of_work import UnitOfWork, WorkFailed

__all__ = ["Clock", "RecordedAct", "Requests", "WriteContext", "recorded_acts"]

T = TypeVar("T")


@dataclass
class WriteContext:
    """A transaction in hand, and what is to be said when it commits."""

    session: Session
    by: Person
    now: datetime
    effects: list[Effect] = field(default_factory=list)

    def record(self, what: str, subject: str, details: Mapping[str, Any] | None = None) -> None:
        """Record what was done, and about whom, with this transaction."""
        acts.record(self.session, self.by, what, subject, self.now, details)

    def publish(self, subject: str, event: Event) -> None:
        """Say something about an onboarding, with this transaction."""
        self.effects.append(EventFor(subject, event))


@dataclass(frozen=True)
class RecordedAct:
    """What a person did: who, for which office, when; `details` are what the act shows of it."""

    id: str
    what: str
    who: str
    office: str | None
    at: datetime
    details: Mapping[str, Any]


def recorded_acts(session: Session, subject: str) -> list[RecordedAct]:
    """What people did about one onboarding in the service of this session, the earliest first."""
    return [
        RecordedAct(act.id, act.what, act.who, act.office, act.at, acts.details_of(act))
        for act in acts.about(session, subject)
    ]


class Requests:
    """One service, as its routes see it: each request is one transaction of its engine."""

    service: Service
    settings: Settings
    database: Database
    engine: Engine
    clock: Clock

    @cached_property
    def _seal_key(self) -> str:
        return self.settings.sealing_key()

    def handle(
        self, command: Command, *, subject: str, by: Person, key: str | None = None
    ) -> Sequence[Effect] | None:
        """Handle a person's command in one transaction, with its act; returns the effects.

        `by` is who asks; `key` makes a repeat harmless (Idempotency-Key), and then the answer
        is None. A key belongs to who asks, for which office, about whom.

        Raises:
            Problem: it cannot be done, and nothing was changed.
            InfrastructureDown: the database is away; the same command will work later.
        """
        message = Message.from_command(
            command,
            subject=subject,
            message_id=self._derived_id(by, key, command.command_type, subject),
            source=by.source,
            time=self.clock(),
            person=by,
        )
        return self.engine.execute(message)

    def handle_event(
        self,
        event_type: str,
        data: Mapping[str, Any],
        *,
        subject: str,
        source: str,
        by: Person,
        key: str | None,
    ) -> Sequence[Effect] | None:
        """Handle an event that came over HTTP by the very handler that hears it from the broker.

        `source` is whose event it is, `by` who brought it. Events that come in a crowd share
        transactions.

        Raises:
            Problem: it cannot be accepted, and nothing was changed.
            InfrastructureDown: the database is away; the same request will work later.
        """
        message_id = self._derived_id(by, key, event_type, subject, source)
        message = self._read(message_id, event_type, data, subject, source, by)
        return self.engine.execute_shared(message)

    def handle_events(
        self,
        event_type: str,
        events: Sequence[tuple[str, Mapping[str, Any]]],
        *,
        source: str,
        by: Person,
        key: str | None,
    ) -> None:
        """Handle several events of one request, each with its subject: all of them or none.

        Raises:
            Problem: one of them cannot be accepted, and nothing was changed.
            InfrastructureDown: the database is away; the same request will work later.
        """
        # The key stands for the list as a whole, whomever each place of it is about.
        *ids, next_id = [
            self._derived_id(by, key and f"{key}/{position}", event_type, "list", source)
            for position in range(len(events) + 1)
        ]
        messages = [
            self._read(message_id, event_type, data, subject, source, by)
            for message_id, (subject, data) in zip(ids, events, strict=True)
        ]
        self.engine.execute_together(messages, next_id)

    def _read(
        self,
        message_id: str,
        event_type: str,
        data: Mapping[str, Any],
        subject: str,
        source: str,
        by: Person,
    ) -> Message:
        """An event that came over HTTP, as the broker would have brought it."""
        envelope = Envelope(
            id=message_id,
            source=source,
            type=event_type,
            subject=subject,
            time=self.clock(),
            data=data,
        )
        incoming = Incoming(envelope.to_bytes(), event_type, CONTENT_TYPE, message_id=envelope.id)
        try:
            message = self.engine.decoder.decode_stored(incoming)
        except Malformed as refusal:
            raise Invalid("event_malformed", str(refusal)) from None
        return replace(message, person=by)

    def derived_onboarding_id(self, source: str, *, by: Person, key: str | None) -> UUID:
        """The id of the onboarding that begins with this request: one for each key, or a new one.

        `source` is whose website it is; `by` who brings it. Nobody else can come to the same id,
        and so be there before it with other contents.
        """
        return UUID(self._derived_id(by, key, "onboarding", source))

    def _derived_id(self, by: Person, key: str | None, *about: str) -> str:
        return derived_id(self._seal_key, by.office, by.name, *about, key) if key else str(uuid4())

    def resource(self, kind: type[T]) -> T:
        """What the service has of this type, as its handlers get it.

        Raises:
            TypeError: it has none.
        """
        resource = self.service.resources.get(kind)
        if not isinstance(resource, kind):
            raise TypeError(f"{self.service.name} has no {kind.__name__}")
        return resource

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """What is committed by now, statement by statement, for whoever only reads."""
        with self.database.look_up() as session:
            yield session

    def acts(self, session: Session, subject: str) -> list[RecordedAct]:
        """What people did here about one onboarding, the earliest first."""
        return recorded_acts(session, subject)

    def write(self, work: Callable[[WriteContext], T], *, subject: str, by: Person) -> T:
        """Do work whose request must not be kept, such as a log-in; returns what it returned.

        What of it belongs among the acts, the work records itself.

        Work that meets another transaction runs again from the start, like all else.

        Raises:
            InfrastructureDown: the database is away; nothing was changed.
            Exception: whatever the work raised; nothing was changed.
        """
        cause = Envelope(str(uuid4()), by.source, "request", subject, self.clock())

        def inside(unit: UnitOfWork) -> T:
            unit.actor = by.name
            context = WriteContext(unit.session, by, unit.now)
            result = work(context)
            unit.store([(cause, context.effects)])
            return result

        try:
            return self.engine.transactions.run(inside)
        except WorkFailed as failure:
            raise failure.reason from None
