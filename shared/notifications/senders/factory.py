"""The senders as set: files, a mail server, or Amazon's SES and SNS."""

from pathlib import Path
from typing import Literal

from shared.notifications.senders.files import MailFolder, SmsFolder
from shared.notifications.senders.outgoing import Email, Sms
from shared.notifications.senders.protocol import Sender, Senders
from shared.notifications.senders.ses import SesSender
from shared.notifications.senders.smtp_url import read_smtp_url
from shared.notifications.senders.sns import SnsSender


def make_senders(
    *,
    mail: Literal["file", "ses", "smtp"] = "file",
    sms: Literal["file", "sns"] = "file",
    data_dir: Path,
    mail_from: str,
    sms_sender: str,
    ses_configuration_set: str | None = None,
    smtp_url: str = "",
) -> Senders:
    """The senders as set; nothing is opened or connected before the first message.

    Raises:
        ValueError: mails go to a mail server whose address is none.
    """
    by_mail: Sender[Email]
    if mail == "ses":
        by_mail = SesSender(mail_from, ses_configuration_set)
    elif mail == "smtp":
        # Mails go to files unless somebody says so: a start need not wait for its library.
        from shared.notifications.senders.smtp import SmtpSender

        by_mail = SmtpSender(read_smtp_url(smtp_url), mail_from)
    else:
        by_mail = MailFolder(data_dir / "mail", mail_from)
    by_sms: Sender[Sms] = SnsSender(sms_sender) if sms == "sns" else SmsFolder(data_dir / "sms")
    return Senders(email=by_mail, sms=by_sms)
