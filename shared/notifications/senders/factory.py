"""The senders as set: files, or Amazon's SES and SNS."""

from pathlib import Path
from typing import Literal

from shared.notifications.senders.files import MailFolder, SmsFolder
from shared.notifications.senders.protocol import Senders
from shared.notifications.senders.ses import SesSender
from shared.notifications.senders.sns import SnsSender


def make_senders(
    *,
    mail: Literal["file", "ses"] = "file",
    sms: Literal["file", "sns"] = "file",
    data_dir: Path,
    mail_from: str,
    sms_sender: str,
    ses_configuration_set: str | None = None,
) -> Senders:
    """The senders as set; nothing is opened or connected before the first message."""
    return Senders(
        email=SesSender(mail_from, ses_configuration_set)
        if mail == "ses"
        else MailFolder(data_dir / "mail", mail_from),
        sms=SnsSender(sms_sender) if sms == "sns" else SmsFolder(data_dir / "sms"),
    )
