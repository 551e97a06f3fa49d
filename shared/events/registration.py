"""What registration says: registered or declined, and the administration made or not."""

from typing import ClassVar

from shared.events.event import Event
from shared.events.shapes import Code, Customer, Line, Office, Package, Payer


class RegistrationCompleted(Event):
    """AANMELDEN: the customer is registered with the vendor."""

    event_type: ClassVar[str] = "registration.completed.v1"
    said_by: ClassVar[str] = "registration"

    customer_number: Code
    office: Office
    customer: Customer
    package: Package
    payer: Payer


class RegistrationDeclined(Event):
    """AANMELDEN: the office looked at the sign-up and said no."""

    event_type: ClassVar[str] = "registration.declined.v1"
    said_by: ClassVar[str] = "registration"

    reason: Line


class AdministrationCreated(Event):
    """INRICHTEN: the customer's administration was copied from a base administration."""

    event_type: ClassVar[str] = "administration.created.v1"
    said_by: ClassVar[str] = "registration"

    administration_number: Code
    name: Line
    copied_from: Code
    access_granted: bool


class AdministrationFailed(Event):
    """INRICHTEN: the copy failed, e.g. because the base administration does not exist."""

    event_type: ClassVar[str] = "administration.failed.v1"
    said_by: ClassVar[str] = "registration"

    reason: Line
