"""What people, and the clock, ask of billing."""

from datetime import date
from typing import ClassVar, Literal

from shared.events.billing import SignatureMethod
from shared.processing import Command


class SignOrder(Command):
    """Record that the payer returned the confirmation, signed."""

    command_type: ClassVar[str] = "billing.sign_order"
    recorded: ClassVar[tuple[str, ...]] = ("order_reference", "method", "signed_on")

    order_reference: str
    method: SignatureMethod
    signed_on: date
    signed_by: str
    iban: str | None = None
    account_holder: str | None = None


class DecideCollection(Command):
    """Carry out what a person decided about a held result."""

    command_type: ClassVar[str] = "billing.decide_collection"
    recorded: ClassVar[tuple[str, ...]] = ("end_to_end_id", "decision", "reason")

    end_to_end_id: str
    decision: Literal["accept", "dismiss"]
    reason: str
    by: str


class CollectAgain(Command):
    """Ask KING once more after a failure that is worth another try, when the pause is over."""

    command_type: ClassVar[str] = "billing.collect_again"

    order_reference: str
    attempt: int


class RemindUnsigned(Command):
    """Remind the payer, a week, two, three after the order, of what has not come back."""

    command_type: ClassVar[str] = "billing.remind_unsigned"

    order_reference: str
    times: int


class MatchResults(Command):
    """Look again whether the order of an unmatched result has appeared."""

    command_type: ClassVar[str] = "billing.match_results"

    order_reference: str
    times: int
