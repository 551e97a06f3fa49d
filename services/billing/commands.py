"""What people, and the clock, ask of billing."""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

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


class NotePosted(Command):
    """Keep that the payer has posted the signed confirmation."""

    command_type: ClassVar[str] = "billing.note_posted"
    recorded: ClassVar[tuple[str, ...]] = ("order_reference", "posted_on")

    order_reference: str
    posted_on: date


class PrepareSigning(Command):
    """Keep what the payer is about to sign online, and send them the code to do it with."""

    command_type: ClassVar[str] = "billing.prepare_signing"
    recorded: ClassVar[tuple[str, ...]] = ("order_reference", "signing_id", "document_sha256")

    order_reference: str
    signing_id: str
    name: str
    place: str
    iban: str | None = None
    account_holder: str | None = None
    consent: str
    document_sha256: str


class MailCode(Command):
    """Send the payer a fresh code for what they are about to sign."""

    command_type: ClassVar[str] = "billing.mail_code"
    recorded: ClassVar[tuple[str, ...]] = ("order_reference", "signing_id")

    order_reference: str
    signing_id: str


class SignOnline(Command):
    """Sign with the code that was mailed: its fingerprint, and from where it came."""

    command_type: ClassVar[str] = "billing.sign_online"
    recorded: ClassVar[tuple[str, ...]] = ("order_reference", "signing_id")

    order_reference: str
    signing_id: str
    code_hash: str
    address: str
    user_agent: str


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
    """Remind the payer, a week, two, three after the order, of what has not come back.

    When a signature was taken back the weeks begin anew; `slips` is how often that was so by then,
    left out where it never was.
    """

    command_type: ClassVar[str] = "billing.remind_unsigned"

    order_reference: str
    times: int
    # The version before this one takes no field that it does not know.
    slips: Annotated[int | None, Field(exclude_if=lambda slips: slips is None)] = None


class MatchResults(Command):
    """Look again whether the order of an unmatched result has appeared."""

    command_type: ClassVar[str] = "billing.match_results"

    order_reference: str
    times: int
