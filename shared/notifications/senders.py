"""The ways out for mails and text messages, and the ways in which they fail."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from shared.errors import StappenplanError
from shared.notifications.letters import Email, Letter, Sms, masked

L_contra = TypeVar("L_contra", bound=Letter, contravariant=True)


class SendFailed(StappenplanError):
    """It did not leave now, or nobody knows: the service is broken, or does not answer.

    Trying again later makes sense. The message names the error, never the recipient.
    """


class SentAway(SendFailed):
    """The service takes nothing from us now, whatever it is: throttled, unreachable, paused, keys.

    No letter can be to blame for that.
    """


class SendRefused(StappenplanError):
    """It will never leave as it is: a bad address, an unverified sender, opted out, too long.

    `reason` is for a person, with addresses and numbers masked.
    """

    def __init__(self, reason: str) -> None:
        self.reason = masked(reason)
        super().__init__(self.reason)


class Sender(Protocol[L_contra]):
    """Hands one letter to whoever carries it; safe to use from several threads."""

    def send(self, letter: L_contra) -> str:
        """Hand it over once; returns the carrier's id for it.

        Raises:
            SendFailed: not now.
            SendRefused: never.
        """


@dataclass(frozen=True)
class Senders:
    """One way out for mails and one for text messages."""

    email: Sender[Email]
    sms: Sender[Sms]

    def send(self, letter: Letter) -> str:
        """Hand the letter to the carrier of its sort; returns the carrier's id for it.

        Raises:
            SendFailed: not now; try again later.
            SendRefused: never.
        """
        return self.sms.send(letter) if isinstance(letter, Sms) else self.email.send(letter)


def make_senders(
    *,
    mail: Literal["file", "ses"] = "file",
    sms: Literal["file", "sns"] = "file",
    data_dir: Path,
    mail_from: str,
    sms_sender: str,
) -> Senders:
    """The carriers as set; nothing is opened or connected before the first letter."""
    from shared.notifications.file import MailFolder, SmsFolder
    from shared.notifications.ses import SesSender
    from shared.notifications.sns import SnsSender

    return Senders(
        email=SesSender(mail_from) if mail == "ses" else MailFolder(data_dir / "mail", mail_from),
        sms=SnsSender(sms_sender) if sms == "sns" else SmsFolder(data_dir / "sms"),
    )
