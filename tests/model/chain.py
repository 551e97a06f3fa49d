"""Two small services of the model's own, one behind the other: a teller, and who hears it.

They bear names from the public language, since only the owner of an event may say it: the teller
hears releases, as activation does, and says log-ins, which the hearer takes in, as signup does.
Both keep which facts had their effect on a customer, so that a doubled one shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar
from uuid import UUID, uuid5

from fastapi import APIRouter
from sqlalchemy import MetaData
from sqlmodel import Field

from shared.base.errors import Reject
from shared.events import CustomerLoggedIn, CustomerReleased
from shared.events.envelope import Envelope
from shared.host.service import Service
from shared.persistence.entity import Entity
from shared.processing import Command, Effect, Loaded, Now, Scheduled, by_subject, on

TELLER, HEARER = "activation", "signup"
SERVICES = (TELLER, HEARER)
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SPACE = UUID("00000000-0000-0000-0000-000000000078")
REMINDED_AFTER = timedelta(hours=1)


class ProcessDied(BaseException):
    """The process is gone: nothing of ours may catch it and go on."""


@dataclass
class Moods:
    """How the handler of each fact ends, by the fact's reference; well, unless said otherwise."""

    by_reference: dict[str, str] = field(default_factory=dict)

    def meet(self, reference: str) -> None:
        """End as this fact is to end."""
        match self.by_reference.get(reference, "well"):
            case "broken":
                raise RuntimeError("something unexpected")
            case "outside":
                raise ConnectionError("the bank's register is down")
            case "hopeless":
                raise Reject("this can never work")
            case "deadly":
                raise ProcessDied


MOODS = ("well", "broken", "outside", "hopeless", "deadly")


class ChainTable(Entity):
    """The base of both services' tables: each has its own database, and the same table in it."""

    metadata = MetaData()


class Customer(ChainTable, table=True):
    """One customer: the references of the facts that had their effect, each as often as it had."""

    onboarding_id: str = Field(primary_key=True, max_length=36)
    effects: str = ""
    reminders: int = 0


class Remind(Command):
    """What the teller asks of itself for later, once for each customer."""

    command_type: ClassVar[str] = "model.remind"


def _effect(customers: Loaded[Customer], subject: str, reference: str) -> None:
    customer = customers.get(subject) or customers.add(
        Customer(onboarding_id=subject, effects="", reminders=0)
    )
    customer.effects += f"{reference} "


def tell(
    event: CustomerReleased,
    envelope: Envelope,
    customers: Loaded[Customer],
    now: Now,
    moods: Moods,
) -> Sequence[Effect]:
    """Take a release in and say so; some say nothing, and some want to be reminded."""
    reference = event.order_reference
    _effect(customers, envelope.subject, reference)
    moods.meet(reference)
    if reference.startswith("silent"):
        return []
    effects: list[Effect] = [CustomerLoggedIn(login_name=reference, first_login_at=START)]
    if reference.startswith("reminds"):
        effects.append(Scheduled(Remind(), now + REMINDED_AFTER, key=f"remind/{envelope.subject}"))
    return effects


def remind(_command: Remind, envelope: Envelope, customers: Loaded[Customer]) -> Sequence[Effect]:
    """Count the reminder."""
    customer = customers.get(envelope.subject)
    assert customer is not None
    customer.reminders += 1
    return []


def hear(
    event: CustomerLoggedIn, envelope: Envelope, customers: Loaded[Customer], moods: Moods
) -> Sequence[Effect]:
    """Take in what the teller said."""
    _effect(customers, envelope.subject, event.login_name)
    moods.meet(event.login_name)
    return []


def build(name: str, moods: Moods) -> Service:
    """The teller or the hearer."""
    loads = [by_subject(Customer)]
    subscriptions = {
        TELLER: [on(CustomerReleased, tell, loads=loads), on(Remind, remind, loads=loads)],
        HEARER: [on(CustomerLoggedIn, hear, loads=loads)],
    }
    return Service(
        name=name,
        subscriptions=subscriptions[name],
        metadata=ChainTable.metadata,
        folder=Path(__file__).parent,
        router=lambda _runtime: APIRouter(),
        resources={Moods: moods},
    )


def speaks(reference: str) -> bool:
    """Whether the teller says something upon this fact."""
    return not reference.startswith("silent")


def release(number: int) -> tuple[str, str, bytes]:
    """The `number`th release: its reference, the event's id and its body."""
    reference = f"{('speaks', 'silent', 'reminds')[number % 3]}-{number}"
    customer = uuid5(SPACE, f"customer {number % 2}")
    message_id = str(uuid5(SPACE, reference))
    envelope = Envelope(
        id=message_id,
        source="/services/billing",
        type=CustomerReleased.event_type,
        subject=str(customer),
        time=START,
    )
    return (
        reference,
        message_id,
        envelope.to_bytes_with(CustomerReleased(order_reference=reference, revision=1)),
    )
