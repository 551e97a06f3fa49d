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


class WithdrawSignature(Command):
    """Take back a signature that was recorded by mistake."""

    command_type: ClassVar[str] = "billing.withdraw_signature"
    recorded: ClassVar[tuple[str, ...]] = ("order_reference", "reason")

    order_reference: str
    reason: str


class DecideResult(Command):
    """Carry out what a person decided about one held result."""

    command_type: ClassVar[str] = "billing.decide_result"
    recorded: ClassVar[tuple[str, ...]] = ("result_id", "decision", "reason")

    result_id: str
    decision: Literal["accept", "dismiss"]
    reason: str
    by: str


class CollectAgain(Command):
    """Ask KING once more after a failure that is worth another try, when the pause is over."""

    command_type: ClassVar[str] = "billing.collect_again"

    order_reference: str
    attempt: int


class StopMandate(Command):
    """Call off whatever KING is asked for under a mandate whose holder has died."""

    command_type: ClassVar[str] = "billing.stop_mandate"

    mandate_key: str


class ResumeMandate(Command):
    """Collect again what was called off for a death that was none, as a person has found."""

    command_type: ClassVar[str] = "billing.resume_mandate"

    mandate_key: str


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
