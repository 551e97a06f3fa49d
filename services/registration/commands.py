"""What people ask of registration."""

from typing import Any, ClassVar

from pydantic import Field

from services.registration.charts import LedgerAccount
from shared.processing import Command


class RegisterCustomer(Command):
    """The office has checked the sign-up and says yes."""

    command_type: ClassVar[str] = "registration.register"

    by: str


class CorrectSignup(Command):
    """The office has found a mistake, and corrects it before it decides.

    The parts hold what is to change, as far as it changes; a field that is null is taken away.
    `fields` are the names of all of them.
    """

    command_type: ClassVar[str] = "registration.correct"
    recorded: ClassVar[tuple[str, ...]] = ("fields",)

    by: str
    customer: dict[str, Any] = Field(default_factory=dict)
    package: dict[str, Any] = Field(default_factory=dict)
    payer: dict[str, Any] = Field(default_factory=dict)
    fields: tuple[str, ...]


class DeclineCustomer(Command):
    """The office has checked the sign-up and says no."""

    command_type: ClassVar[str] = "registration.decline"
    recorded: ClassVar[tuple[str, ...]] = ("reason",)

    by: str
    reason: str = Field(min_length=1, max_length=200)


class MakeAdministration(Command):
    """Copy a base administration: again after a failure, or from another base.

    Asking for the administration that is there already changes nothing.
    """

    command_type: ClassVar[str] = "registration.make_administration"
    recorded: ClassVar[tuple[str, ...]] = ("base_administration",)

    base_administration: str | None = Field(default=None, max_length=35)


class PutBaseAdministration(Command):
    """Add or replace a base administration; `office_code` is empty when it is for all."""

    command_type: ClassVar[str] = "registration.put_base_administration"
    recorded: ClassVar[tuple[str, ...]] = ("code", "office_code")

    code: str
    office_code: str
    name: str
    accounts: tuple[LedgerAccount, ...]
