"""Text messages through Amazon SNS, which has no idempotency key either."""

import structlog

from shared.notifications.senders.aws import AwsClient, translate_aws_errors
from shared.notifications.senders.outgoing import Sms, masked, phone_number
from shared.notifications.senders.protocol import Undeliverable

log = structlog.get_logger()


class SnsSender:
    """Sends to telephone numbers, marked transactional so that they go before advertisements.

    `sender_id` is shown as the sender: 3 to 11 letters or digits, at least one letter.
    `max_price` is in US dollars per part, as SNS counts it.
    """

    def __init__(self, sender_id: str, max_price: str = "0.25") -> None:
        self._sender_id = sender_id
        self._max_price = max_price
        self._client = AwsClient("sns")

    def send(self, message: Sms) -> str:
        """Hand the text message over; returns SNS's message id.

        Raises:
            SendFailed: throttled, unreachable, broken, or our keys are not accepted.
            PerhapsTaken: the service had it, and gave no answer.
            Undeliverable: a bad number, opted out, too long.
        """
        try:
            number = phone_number(message.to)
        except ValueError as error:
            raise Undeliverable(str(error)) from None
        attributes = {
            "AWS.SNS.SMS.SenderID": ("String", self._sender_id),
            "AWS.SNS.SMS.SMSType": ("String", "Transactional"),
            "AWS.SNS.SMS.MaxPrice": ("Number", self._max_price),
        }
        with translate_aws_errors():
            response = self._client.get().publish(
                PhoneNumber=number,
                Message=message.text,
                MessageAttributes={
                    name: {"DataType": data_type, "StringValue": value}
                    for name, (data_type, value) in attributes.items()
                },
            )
        provider_id = str(response["MessageId"])
        log.info("sms_handed_over", provider_id=provider_id, to=masked(number))
        return provider_id
