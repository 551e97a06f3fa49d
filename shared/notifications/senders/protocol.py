"""The ways out for mails and text messages, and the ways in which they fail."""

from dataclasses import dataclass
from typing import Protocol, TypeVar

from shared.base.errors import StappenplanError
from shared.notifications.senders.outgoing import Email, OutgoingMessage, Sms, masked

M_contra = TypeVar("M_contra", bound=OutgoingMessage, contravariant=True)


class SendFailed(StappenplanError):
    """It did not leave now, or nobody knows: the provider is broken, or does not answer.

    Trying again later makes sense. The message names the error, never the recipient.
    """


class ProviderUnavailable(SendFailed):
    """The provider takes nothing from us now, whatever it is: throttled, unreachable, paused, keys.

    No message can be to blame for that.
    """


class RefusedForNow(SendFailed):
    """The provider works, and takes this one message not yet: its recipient's mailbox is full.

    Only that message can be to blame.
    """


class PerhapsTaken(SendFailed):
    """All of it was handed over, and no answer came: it may have arrived, or not.

    Each further try may bring its recipient one more copy.
    """


class Undeliverable(StappenplanError):
    """It will never leave as it is: a bad address, an unverified sender, opted out, too long.

    `reason` is for a person, with addresses and numbers masked.
    """

    def __init__(self, reason: str) -> None:
        self.reason = masked(reason)
        super().__init__(self.reason)


class Sender(Protocol[M_contra]):
    """Hands one message to its provider; safe to use from several threads."""

    def send(self, message: M_contra) -> str:
        """Hand it over once; returns the provider's id for it.

        Raises:
            SendFailed: not now.
            Undeliverable: never.
        """


@dataclass(frozen=True)
class Senders:
    """One way out for mails and one for text messages."""

    email: Sender[Email]
    sms: Sender[Sms]

    def send(self, message: OutgoingMessage) -> str:
        """Hand the message to the provider of its channel; returns the provider's id for it.

        Raises:
            SendFailed: not now; try again later.
            Undeliverable: never.
        """
        return self.sms.send(message) if isinstance(message, Sms) else self.email.send(message)
