"""What an office's website says: a customer has filled in the sign-up form."""

from typing import Annotated, ClassVar

from pydantic import StringConstraints

from shared.events.event import Event
from shared.events.shapes import Channel, Code, Customer, Package, Payer, Terms


class SignupSubmitted(Event):
    """INSCHRIJVEN: a customer signed up on his office's website."""

    event_type: ClassVar[str] = "signup.submitted.v1"
    said_by: ClassVar[str] = "website"

    office_code: Code
    customer: Customer
    package: Package
    payer: Payer
    preferred_channel: Channel
    terms: Terms
    remarks: Annotated[str, StringConstraints(max_length=2000)] | None = None
