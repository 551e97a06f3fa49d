"""What staff ask of activation. No request carries a password: those are never kept."""

from typing import ClassVar

from shared.events.shapes import Channel
from shared.processing.messages import Request


class ActivateCustomer(Request):
    """Send login name and a fresh one-time password."""

    request_type: ClassVar[str] = "activation.activate"

    channel: Channel
    by: str


class ResendCredentials(Request):
    """Send them once more; whatever was sent before is void."""

    request_type: ClassVar[str] = "activation.resend"

    channel: Channel | None = None
    by: str


class AmendContact(Request):
    """Correct where the customer can be reached."""

    request_type: ClassVar[str] = "activation.amend_contact"

    email: str | None = None
    mobile: str | None = None
    by: str


class RemindOfExpiry(Request):
    """A day before the one-time password expires: nudge a customer who has not logged in."""

    request_type: ClassVar[str] = "activation.remind_of_expiry"

    attempt: int
