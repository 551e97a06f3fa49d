"""Activation in memory: its handlers run for real, over just what they declare to load."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid5

from services.activation.checklist import Checklist, checklist
from services.activation.handlers import SUBSCRIPTIONS
from services.activation.models import Activation
from shared.events import (
    AdministrationCreated,
    CollectionBooked,
    CustomerReleased,
    OrderConfirmationSent,
    OrderConfirmationSigned,
    RegistrationCompleted,
    SignupAccepted,
)
from shared.events.envelope import Envelope
from shared.events.event import Event
from shared.events.shapes import Address, Contact, Customer, Office, Package, Payer, Warning
from shared.host.settings import Settings
from shared.messaging.bus import Incoming
from shared.notifications.messages import Mail
from shared.processing import Command, Effect, Loaded, Message, Now
from shared.processing.handlers.registry import bind_parameters

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SPACE = UUID("00000000-0000-0000-0000-000000000042")
SETTINGS = Settings(credentials_hours=72)
ORDER = "O-2026-000001"

OFFICE = Office(code="0042", name="Kantoor Voorbeeld", email="kantoor@voorbeeld.example")
CUSTOMER = Customer(
    company="Bakkerij Voorbeeld",
    address=Address(street="Voorbeeldstraat", number="1", postcode="1234 AB", city="Stad"),
    contact=Contact(first_name="Anna", infix="van", last_name="Voorbeeld"),
    email="klant@bakkerij.example",
    mobile="+31612345678",
)
WHO: dict[str, Any] = {
    "office": OFFICE,
    "customer": CUSTOMER,
    "package": Package(code="basis"),
    "payer": Payer(kind="customer"),
}


def signed_up(**changes: Any) -> SignupAccepted:
    fields = {"reference": "S-2026-000001", "preferred_channel": "email", **WHO}
    return SignupAccepted.model_validate(fields | changes)


def flagged() -> SignupAccepted:
    warning = Warning(code="likely_duplicate", text="Lijkt op S-2026-000000.", needs_review=True)
    return signed_up(warnings=(warning,))


REGISTERED = RegistrationCompleted(customer_number="K-1", **WHO)
SET_UP = AdministrationCreated(
    administration_number="A-1",
    name="Bakkerij Voorbeeld",
    copied_from="standard",
    access_granted=True,
)
CONFIRMATION_SENT = OrderConfirmationSent(
    order_reference=ORDER,
    document_sha256="0" * 64,
    sent_to="klant@bakkerij.example",
    copied_to="kantoor@voorbeeld.example",
)
SIGNED = OrderConfirmationSigned(
    order_reference=ORDER, method="post", signed_on=MONDAY.date(), received_at=MONDAY
)
RELEASED = CustomerReleased(order_reference=ORDER, revision=2)
WAY: tuple[Event, ...] = (
    signed_up(),
    REGISTERED,
    SET_UP,
    CONFIRMATION_SENT,
    SIGNED,
    RELEASED,
)
"""All that must have happened before a customer can be activated."""


def booked(status: str, *, attempt: int = 1, held: bool = False, revision: int = 1) -> Event:
    return CollectionBooked.model_validate(
        {
            "order_reference": ORDER,
            "end_to_end_id": f"{ORDER}-{attempt}",
            "attempt": attempt,
            "status": status,
            "reason_code": "AM04" if status in ("failed", "returned") else None,
            "held": held,
            "revision": revision,
        }
    )


def onboarding(name: str) -> str:
    """The onboarding id of a customer, e.g. of "bakkerij"."""
    return str(uuid5(SPACE, name))


class World:
    """What activation knows."""

    def __init__(self, *heard: Event) -> None:
        self.now = MONDAY
        self.known: list[Activation] = []
        self._ids = count(1)
        resources: dict[type, object] = {Settings: SETTINGS}
        self._calls = {one.type: (bind_parameters(one, resources), one.loads) for one in SUBSCRIPTIONS}
        for event in heard:
            self.hear(event)

    def hear(
        self, event: Event, about: str = "bakkerij", *, at: datetime | None = None, id: str = ""
    ) -> list[Effect]:
        """An event comes in; `at` and `id` are its own, for one that comes twice or late."""
        self.now += timedelta(minutes=1)
        return self._deliver(event, event.event_type, about, at or self.now, id)

    def ask(self, request: Command, about: str = "bakkerij") -> list[Effect]:
        """A person, or the clock, asks for something."""
        return self._deliver(request, request.command_type, about, self.now, "")

    def customer(self, about: str = "bakkerij") -> Activation:
        """What is known of one customer."""
        (found,) = [one for one in self.known if one.onboarding_id == onboarding(about)]
        return found

    def checklist(self, about: str = "bakkerij") -> Checklist:
        """Where he stands."""
        return checklist(self.customer(about), self.now)

    def status(self, step: str) -> str:
        """How one step of his stands."""
        return next(one.status for one in self.checklist().steps if one.step == step)

    def blockers(self) -> list[str]:
        """What stands in his way."""
        return [one.code for one in self.checklist().blockers]

    def _deliver(
        self, content: Event | Command, kind: str, about: str, at: datetime, message: str
    ) -> list[Effect]:
        message_id = str(uuid5(SPACE, message or f"message {next(self._ids)}"))
        envelope = Envelope(message_id, "/test", kind, onboarding(about), at)
        delivery = Message(envelope, content, Incoming(b"", kind))
        call, loads = self._calls[kind]
        batch = {Activation: Loaded[Activation]()}
        for load in loads:
            keys = load.keys(delivery, batch)
            batch[Activation].merge(one for one in self.known if getattr(one, load.column) in keys)
        said = list(call(delivery, batch, Now(self.now)))
        self.known += batch[Activation].added
        return said


def mails(said: Sequence[Effect]) -> list[tuple[str, str]]:
    """Which mails and texts, and to whom."""
    return [(one.kind, one.to) for one in said if isinstance(one, Mail)]
