"""What people ask of signup."""

from typing import ClassVar, Literal

from pydantic import Field

from shared.processing import Command


class PutOffice(Command):
    """Add or change an office."""

    command_type: ClassVar[str] = "signup.put_office"

    code: str
    name: str
    email: str
    phone: str | None = None
    language: Literal["nl", "en"] = "nl"
    review: Literal["always", "flagged"] = "flagged"
    base_administration: str = "standard"
    pays_for_customers: bool = False


class Withdraw(Command):
    """Stop an onboarding."""

    command_type: ClassVar[str] = "signup.withdraw"

    reason: str = Field(default="op verzoek", min_length=1, max_length=200)
    by: str
