"""What people ask of signup."""

from typing import Annotated, ClassVar, Literal
from uuid import uuid5

from pydantic import BeforeValidator, Field

from services.signup.form.validation import PaysForCustomers
from shared.events.envelope import NAMESPACE
from shared.events.shapes import Color
from shared.processing import Command


def _in_words(value: object) -> object:
    """What was yes or no before there were three answers: a person is to look at it."""
    return {True: "review", False: "no"}[value] if isinstance(value, bool) else value


HowItPays = Annotated[PaysForCustomers, BeforeValidator(_in_words)]
"""How an office pays for its customers; true and false are taken from before."""


def office_subject(code: str) -> str:
    """Under what an office's acts are kept."""
    return str(uuid5(NAMESPACE, f"office/{code}"))


class PutOffice(Command):
    """Add or change an office; `is_new` refuses to change one that is there."""

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
    pays_for_customers: HowItPays = "no"
    color: Color | None = None
    sites: tuple[str, ...] = ()
    is_new: bool = False


class Withdraw(Command):
    """Stop an onboarding."""

    command_type: ClassVar[str] = "signup.withdraw"
    recorded: ClassVar[tuple[str, ...]] = ("reason",)

    reason: str = Field(default="op verzoek", min_length=1, max_length=200)
    by: str


class SendWithdrawLink(Command):
    """Send the customer a new link to the page where they can withdraw."""

    command_type: ClassVar[str] = "signup.send_withdraw_link"
