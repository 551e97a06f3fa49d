"""Text messages through Amazon SNS, which has no idempotency key either."""

import re

import structlog

from shared.notifications.aws import AwsClient, told_apart
from shared.notifications.letters import Sms, masked
from shared.notifications.senders import SendRefused

log = structlog.get_logger()

E164 = re.compile(r"\+[1-9]\d{6,14}")


class SnsSender:
    """Sends to telephone numbers, marked transactional so that they go before advertisements.

    `sender_id` is shown as the sender: 3 to 11 letters or digits, at least one letter.
    `max_price` is in US dollars per part, as SNS counts it.
    """

    def __init__(self, sender_id: str, max_price: str = "0.25") -> None:
        self._sender_id = sender_id
        self._max_price = max_price
        self._client = AwsClient("sns")

    def send(self, letter: Sms) -> str:
        """Hand the text message over; returns SNS's message id.

        Raises:
            SendFailed: throttled, unreachable, broken, or our keys are not accepted.
            SendRefused: a bad number, opted out, too long.
        """
        # Without the plus, SNS in some regions reads a number as one of its own country.
        if not E164.fullmatch(letter.to):
            raise SendRefused("the telephone number is not in E.164")
        attributes = {
            "AWS.SNS.SMS.SenderID": ("String", self._sender_id),
            "AWS.SNS.SMS.SMSType": ("String", "Transactional"),
            "AWS.SNS.SMS.MaxPrice": ("Number", self._max_price),
        }
        with told_apart():
            answer = self._client.get().publish(
                PhoneNumber=letter.to,
                Message=letter.text,
                MessageAttributes={
                    name: {"DataType": kind, "StringValue": value}
                    for name, (kind, value) in attributes.items()
                },
            )
        message_id = str(answer["MessageId"])
        log.info("sms_handed_over", message_id=message_id, to=masked(letter.to))
        return message_id
