"""Mails through Amazon SES.

SES has no idempotency key: a mail whose answer got lost may have left. A suppressed address is
accepted and then bounces; that is seen in the events of the configuration set, not here.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import structlog

from shared.notifications.senders.aws import AwsClient, translate_aws_errors
from shared.notifications.senders.headers import folded_mailbox, unfolded
from shared.notifications.senders.outgoing import Email, mailbox, masked, named_mailbox
from shared.notifications.senders.protocol import Undeliverable

log = structlog.get_logger()

FORBIDDEN_IN_TAG = re.compile(r"[^A-Za-z0-9_-]")
MAX_TAG_CHARACTERS = 256


class SesSender:
    """Sends each mail as the complete MIME message, so that what leaves is what was made.

    `mail_from` must be verified with SES. `configuration_set` says where SES reports what
    became of a mail; leave click and open tracking off in it, since it rewrites links.
    """

    def __init__(self, mail_from: str, configuration_set: str | None = None) -> None:
        self._mail_from = mail_from
        self._configuration_set = configuration_set
        self._client = AwsClient("sesv2")

    def send(self, message: Email) -> str:
        """Hand the mail over; returns SES's message id.

        Raises:
            SendFailed: throttled, unreachable, broken, or our keys are not accepted.
            PerhapsTaken: the service had it, and gave no answer.
            Undeliverable: a bad address, an unverified sender, too large.
        """
        try:
            content = message.as_bytes(self._mail_from, datetime.now(UTC))
            recipient = mailbox(message.to).addr_spec
            sender = unfolded(folded_mailbox(named_mailbox(self._mail_from)))
        except ValueError as error:
            raise Undeliverable(str(error)) from None
        request = {
            "FromEmailAddress": sender,
            "Destination": {"ToAddresses": [recipient]},
            "Content": {"Raw": {"Data": content}},
            "EmailTags": _tags(message_key=message.message_key, kind=message.kind),
        }
        if self._configuration_set:
            request["ConfigurationSetName"] = self._configuration_set
        with translate_aws_errors():
            provider_id = str(self._client.get().send_email(**request)["MessageId"])
        log.info("mail_handed_over", provider_id=provider_id, to=masked(message.to))
        return provider_id


def _tags(**tags: str) -> Sequence[Mapping[str, str]]:
    """Tags that SES shows with each event of the mail, in the characters that it accepts."""
    return [
        {"Name": name, "Value": FORBIDDEN_IN_TAG.sub("_", value)[:MAX_TAG_CHARACTERS]}
        for name, value in tags.items()
    ]
