"""What people ask of signup."""

from typing import ClassVar, Literal
from uuid import uuid5

from pydantic import Field

from shared.events.envelope import NAMESPACE
from shared.processing import Command


def office_subject(code: str) -> str:
    """Under what an office's acts are kept."""
    return str(uuid5(NAMESPACE, f"office/{code}"))


class PutOffice(Command):
    """Add or change an office."""

    command_type: ClassVar[str] = "signup.put_office"
    recorded: ClassVar[tuple[str, ...]] = (
        "code",
        "review",
        "base_administration",
        "pays_for_customers",
    )

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
    recorded: ClassVar[tuple[str, ...]] = ("reason",)

    reason: str = Field(default="op verzoek", min_length=1, max_length=200)
    by: str
