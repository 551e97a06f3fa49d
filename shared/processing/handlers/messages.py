"""What a handler hears and what it returns.

A handler hears an `Event` (a fact from outside its service) or a `Command` (something a person or
the clock asks of its service). It returns effects: events to publish, commands to itself for
later, and whatever else the product has a sink for, such as mails. It never sends anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, NewType

from pydantic import BaseModel, ConfigDict

from shared.events.envelope import Envelope
from shared.events.event import Event
from shared.messaging.bus import Incoming

Now = NewType("Now", datetime)
"""The moment of processing, for handlers that need one; they have no clock of their own."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks for something over HTTP or at the command line, for the record of acts.

    `office` is the one they act for, None when they act for all; `address` where they ask from.
    """

    name: str
    office: str | None = None
    address: str = ""

    @property
    def source(self) -> str:
        """How they are named in envelopes."""
        return f"/staff/{self.name}"


class Command(BaseModel):
    """Something asked of one service: by a person over HTTP, or by the service of itself, later.

    Commands never travel on the broker. `command_type` names them in the inbox. `recorded` are the
    fields that the record of acts shows beside it: never a secret, never a whole account number.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    command_type: ClassVar[str]
    recorded: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True, slots=True)
class RawEvent:
    """An event's data exactly as the sender wrote it.

    For the one service that answers field by field instead of refusing the whole.
    """

    event_type: str
    data: Mapping[str, Any]


class SideEffect:
    """What a handler may return beside an event; the sink that takes its class stores it."""

    __slots__ = ()


class Answer(SideEffect):
    """What a handler tells whoever asked for it and waits; nobody else, and it is not stored."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class EventFor(SideEffect):
    """An event about another onboarding than the message that led to it."""

    subject: str
    event: Event


@dataclass(frozen=True, slots=True)
class Scheduled(SideEffect):
    """A command to this very service, to be handled when due, once, however many replicas run.

    `key` makes it unique: scheduling the same key again changes nothing, for the month that the
    inbox remembers what is done. A command that may be asked for after that has a key of its own.
    """

    command: Command
    due: datetime
    key: str
    about: str | None = None


Effect = Event | SideEffect


@dataclass(frozen=True, slots=True)
class Message:
    """One message that was decoded: its envelope, and the event or command inside.

    `person` is whose request it is, when it did not come from the broker or the clock.
    """

    envelope: Envelope
    content: Event | Command | RawEvent
    incoming: Incoming
    person: Person | None = None

    @property
    def order(self) -> tuple[str, str]:
        """By what a batch is sorted: the onboarding first, so that all lock in one order."""
        return self.envelope.subject, self.envelope.id

    @property
    def redelivered(self) -> bool:
        """Whether it may have killed the process before: such a message runs isolated."""
        return self.incoming.redelivered

    @classmethod
    def from_command(
        cls,
        command: Command,
        *,
        subject: str,
        message_id: str,
        source: str,
        time: datetime,
        cause: Envelope | None = None,
        person: Person | None = None,
    ) -> "Message":
        """A command in an envelope, so that it is handled, kept and retried like an event."""
        envelope = Envelope(
            id=message_id,
            source=source,
            type=command.command_type,
            subject=subject,
            time=time,
            data=command.model_dump(mode="json"),
            causationid=cause.id if cause else None,
            traceparent=cause.traceparent if cause else None,
        )
        incoming = Incoming(envelope.to_bytes(), command.command_type, message_id=message_id)
        return cls(envelope, command, incoming, person)
