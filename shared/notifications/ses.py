"""Mails through Amazon SES.

SES has no idempotency key: a mail whose answer got lost may have left. A suppressed address is
accepted and then bounces; that is seen in the events of the configuration set, not here.
"""

import re
from datetime import UTC, datetime

import structlog

from shared.notifications.aws import AwsClient, told_apart
from shared.notifications.letters import Email, mailbox, masked
from shared.notifications.senders import SendRefused

log = structlog.get_logger()

NOT_IN_TAGS = re.compile(r"[^A-Za-z0-9_-]")


class SesSender:
    """Sends each mail as the complete MIME message, so that what leaves is what was made.

    `mail_from` must be verified with SES. `configuration_set` says where SES reports what
    became of a mail; leave click and open tracking off in it, since it rewrites links.
    """

    def __init__(self, mail_from: str, configuration_set: str | None = None) -> None:
        self._mail_from = mail_from
        self._configuration_set = configuration_set
        self._client = AwsClient("sesv2")

    def send(self, letter: Email) -> str:
        """Hand the mail over; returns SES's message id.

        Raises:
            SendFailed: throttled, unreachable, broken, or our keys are not accepted.
            SendRefused: a bad address, an unverified sender, too large.
        """
        try:
            content = letter.as_bytes(self._mail_from, datetime.now(UTC))
            recipient = mailbox(letter.to).addr_spec
        except ValueError as error:
            raise SendRefused(str(error)) from None
        tags = {"message_key": letter.message_key, "kind": letter.kind}
        request = {
            "FromEmailAddress": self._mail_from,
            "Destination": {"ToAddresses": [recipient]},
            "Content": {"Raw": {"Data": content}},
            "EmailTags": [
                {"Name": name, "Value": NOT_IN_TAGS.sub("_", value)[:256]}
                for name, value in tags.items()
            ],
        }
        if self._configuration_set:
            request["ConfigurationSetName"] = self._configuration_set
        with told_apart():
            message_id = str(self._client.get().send_email(**request)["MessageId"])
        log.info("mail_handed_over", message_id=message_id, to=masked(letter.to))
        return message_id
