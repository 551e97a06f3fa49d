"""Activation in memory: one customer's way, and how what is known of them is read."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from services.activation.checklist import Checklist, checklist
from services.activation.commands import ActivateCustomer
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
from shared.events.event import Event
from shared.events.shapes import Address, Contact, Customer, Office, Package, Payer, Warning
from shared.host.settings import Settings
from shared.notifications.messages import Mail
from shared.processing import Effect
from shared.processing.testing import MONDAY, Harness, Heard, onboarding

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


def registered(**changes: Any) -> RegistrationCompleted:
    return RegistrationCompleted.model_validate({"customer_number": "K-1", **WHO, **changes})


REGISTERED = registered()
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
BY_MAIL = ActivateCustomer(channel="email", by="/staff/anna")
BY_TEXT = ActivateCustomer(channel="sms", by="/staff/anna")


def way_of(customer: Customer) -> tuple[Event, ...]:
    """The same, of another customer."""
    return (signed_up(customer=customer), registered(customer=customer), *WAY[2:])


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


class ActivationHarness(Harness):
    """Activation after these events; each that comes takes a minute."""

    def __init__(self, *heard: Event) -> None:
        super().__init__(SUBSCRIPTIONS, resources={Settings: SETTINGS})
        for event in heard:
            self.hear(event)

    def hear(
        self,
        event: Event,
        about: str = "bakkerij",
        *,
        message: str | None = None,
        time: datetime | None = None,
    ) -> Heard:
        """An event comes in, a minute after the last one."""
        self.now += timedelta(minutes=1)
        return super().hear(event, about, message=message, time=time)

    def send_credentials(self) -> None:
        """The message leaves, with a password that is good for 72 hours."""
        self.customer().equip("hash", self.now + timedelta(hours=72))
        self.customer().mark_sent(self.now)

    def customer(self, about: str = "bakkerij") -> Activation:
        """What is known of one customer."""
        return self.row(Activation, onboarding_id=onboarding(about))

    def checklist(self, about: str = "bakkerij") -> Checklist:
        """Where they stand."""
        return checklist(self.customer(about), self.now)

    def status(self, name: str) -> str:
        """How one of their steps stands."""
        return next(step.status for step in self.checklist().steps if step.step == name)

    def blockers(self) -> list[str]:
        """What stands in their way."""
        return [blocker.code for blocker in self.checklist().blockers]


def mails(effects: Sequence[Effect]) -> list[tuple[str, str]]:
    """Which mails and texts, and to whom."""
    return [(effect.kind, effect.to) for effect in effects if isinstance(effect, Mail)]
