"""What staff ask of activation. No command carries a password: those are never kept."""

from typing import ClassVar

from shared.events.shapes import Channel
from shared.processing import Command


class ActivateCustomer(Command):
    """Send login name and a fresh one-time password."""

    command_type: ClassVar[str] = "activation.activate"
    recorded: ClassVar[tuple[str, ...]] = ("channel",)

    channel: Channel
    by: str


class ResendCredentials(Command):
    """Send them once more; whatever was sent before is void.

    Who is `patient` is refused while what was just sent may still be on its way.
    """

    command_type: ClassVar[str] = "activation.resend"
    recorded: ClassVar[tuple[str, ...]] = ("channel",)

    channel: Channel | None = None
    by: str
    patient: bool = False


class AmendContact(Command):
    """Correct where the customer can be reached; `changes` names what is given, for the record.

    Customers may do so themselves `before_activation`; after it their password would go along.
    """

    command_type: ClassVar[str] = "activation.amend_contact"
    recorded: ClassVar[tuple[str, ...]] = ("changes",)

    email: str | None = None
    mobile: str | None = None
    by: str
    changes: tuple[str, ...] = ()
    before_activation: bool = False


class SendLink(Command):
    """Mail the customer a fresh link to their page."""

    command_type: ClassVar[str] = "activation.send_link"


class RemindOfExpiry(Command):
    """A day before the one-time password expires: nudge a customer who has not logged in."""

    command_type: ClassVar[str] = "activation.remind_of_expiry"

    attempt: int


class LapseCredentials(Command):
    """The one-time password has expired: whoever looks for such customers finds them now."""

    command_type: ClassVar[str] = "activation.lapse_credentials"

    attempt: int
