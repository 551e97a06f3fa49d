"""The ways out for mails and text messages: files, a mail server, or Amazon's SES and SNS."""

from shared.notifications.senders.factory import make_senders
from shared.notifications.senders.outgoing import Attachment, Email, OutgoingMessage, Sms
from shared.notifications.senders.protocol import (
    PerhapsTaken,
    ProviderUnavailable,
    RefusedForNow,
    Sender,
    Senders,
    SendFailed,
    Undeliverable,
)

__all__ = [
    "Attachment",
    "Email",
    "OutgoingMessage",
    "PerhapsTaken",
    "ProviderUnavailable",
    "RefusedForNow",
    "SendFailed",
    "Sender",
    "Senders",
    "Sms",
    "Undeliverable",
    "make_senders",
]
