"""What happened to one customer, in order: the events that were heard, and what people did here.

Facts keep what holds; this keeps that it was said, when, and whose request led to it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, Session, col, select

from services.activation.models import Activation, ActivationTable
from shared.events import CustomerActivated, CustomerLoggedIn, Event
from shared.events.envelope import Envelope
from shared.events.event import EVENTS
from shared.host.requests import RecordedAct
from shared.persistence.entity import moment

SHOWN = {
    "reference",
    "customer_number",
    "administration_number",
    "copied_from",
    "order_reference",
    "end_to_end_id",
    "attempt",
    "method",
    "signed_on",
    "status",
    "reason_code",
    "held",
    "revision",
}
"""The fields of events that say what happened, and nothing of anybody's person."""


class HeardFact(ActivationTable, table=True):
    """One event that was heard, under its id; written once, never changed.

    `details` are the fields of it that a history shows, none of them about a person.
    """

    __tablename__ = "heard_fact"
    __table_args__ = (Index("heard_fact_story", "onboarding_id", "at", "id"),)

    id: str = Field(primary_key=True, max_length=36)
    onboarding_id: str = Field(max_length=36)
    at: datetime = Field(sa_column=moment())
    type: str = Field(max_length=100)
    actor: str | None = Field(default=None, max_length=255)
    details: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))

    @classmethod
    def of(cls, event: Event, envelope: Envelope) -> "HeardFact":
        """What a history keeps of an event."""
        return cls(
            id=envelope.id,
            onboarding_id=envelope.subject,
            at=envelope.time,
            type=event.event_type,
            actor=envelope.actor,
            details=event.model_dump(mode="json", include=SHOWN, exclude_none=True),
        )


@dataclass(frozen=True)
class Entry:
    """One line of a history: an event, or the act of a person.

    `by` is the person, as far as one is known; `source` the speaker of an event, or this service.
    """

    at: datetime
    kind: Literal["event", "act"]
    what: str
    by: str | None
    office: str | None
    source: str
    details: Mapping[str, Any]


def history(session: Session, activation: Activation, acts: Sequence[RecordedAct]) -> list[Entry]:
    """A customer's history, the earliest first."""
    query = select(HeardFact).where(HeardFact.onboarding_id == activation.onboarding_id)
    heard = session.exec(query.order_by(col(HeardFact.at), col(HeardFact.id)))
    entries = [*map(_of_fact, heard), *map(_of_act, acts), *_own_events(activation)]
    return sorted(entries, key=lambda entry: entry.at)


def _of_fact(fact: HeardFact) -> Entry:
    event = EVENTS.get(fact.type)
    source = event.said_by if event else ""
    return Entry(fact.at, "event", fact.type, fact.actor, None, source, fact.details)


def _of_act(act: RecordedAct) -> Entry:
    return Entry(act.at, "act", act.what, act.who, act.office, "activation", act.details)


def _own_events(activation: Activation) -> Iterator[Entry]:
    """What activation itself has said last: it does not hear itself."""
    if activation.sent_at is not None:
        details = {"channel": activation.channel}
        what, by = CustomerActivated.event_type, activation.ordered_by
        yield Entry(activation.sent_at, "event", what, by, None, "activation", details)
    if activation.first_login_at is not None:
        what = CustomerLoggedIn.event_type
        yield Entry(activation.first_login_at, "event", what, None, None, "activation", {})
