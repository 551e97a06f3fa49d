"""What signup says: a sign-up is accepted, rejected or withdrawn."""

from typing import ClassVar

from shared.base.errors import FieldError
from shared.events.event import Event
from shared.events.shapes import Channel, Code, Customer, Line, Office, Package, Payer, Warning


class SignupAccepted(Event):
    """INSCHRIJVEN: the sign-up is in order; `warnings` are for the office's eyes."""

    event_type: ClassVar[str] = "signup.accepted.v1"
    said_by: ClassVar[str] = "signup"

    reference: Code
    office: Office
    customer: Customer
    package: Package
    payer: Payer
    preferred_channel: Channel
    warnings: tuple[Warning, ...] = ()


class SignupRejected(Event):
    """INSCHRIJVEN: the sign-up cannot be accepted as it was filled in."""

    event_type: ClassVar[str] = "signup.rejected.v1"
    said_by: ClassVar[str] = "signup"

    office_code: Line | None = None
    company: Line | None = None
    errors: tuple[FieldError, ...]


class OnboardingWithdrawn(Event):
    """Any step: the customer or the office stopped the onboarding."""

    event_type: ClassVar[str] = "onboarding.withdrawn.v1"
    said_by: ClassVar[str] = "signup"

    reason: Line
    by: Line
