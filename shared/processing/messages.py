"""What a handler hears and what it returns.

A handler hears an `Event` (a fact from outside its service) or a `Request` (something a person
or the clock asks of its service). It returns messages: events to say, mails and texts to send,
requests to itself for later. It never sends anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal, NewType

from pydantic import BaseModel, ConfigDict

from shared.envelope import Envelope
from shared.events.event import Event
from shared.events.shapes import Language
from shared.messaging.bus import Incoming

Now = NewType("Now", datetime)
"""The moment of processing, for handlers that need one; they have no clock of their own."""


class Request(BaseModel):
    """Something asked of one service: by a person over HTTP, or by the service of itself, later.

    Requests never travel on the broker. `request_type` names them in the inbox.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    request_type: ClassVar[str]


@dataclass(frozen=True, slots=True)
class AsWritten:
    """An event's data exactly as the sender wrote it.

    For the one service that answers field by field instead of refusing the whole.
    """

    event_type: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class About:
    """An event about another onboarding than the message that led to it."""

    subject: str
    event: Event


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to send after the transaction: which template, to whom, filled with what.

    `params` must be JSON. They stand in the database until sent, so they hold no secret.
    """

    kind: str
    to: str
    language: Language
    params: Mapping[str, Any] = field(default_factory=dict)
    about: str | None = None
    channel: Literal["email", "sms"] = "email"


@dataclass(frozen=True, slots=True)
class Text(Mail):
    """A text message to send after the transaction; `to` is a number in E.164."""

    channel: Literal["email", "sms"] = "sms"


@dataclass(frozen=True, slots=True)
class Later:
    """A request to this very service, to be handled when due, once, however many replicas run.

    `key` makes it unique: scheduling the same key again changes nothing, for the month that the
    inbox remembers what is done. A request that may be asked for after that has a key of its own.
    """

    request: Request
    due: datetime
    key: str
    about: str | None = None


Message = Event | About | Mail | Later


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message that was read: its envelope, and the event or request inside."""

    envelope: Envelope
    content: Event | Request | AsWritten
    incoming: Incoming

    @property
    def suspect(self) -> bool:
        """Whether it may have killed the process before: such a message runs alone."""
        return self.incoming.redelivered
