"""What is handed to a sender: one mail or one text message, addressed and complete.

A message may carry a credential, so it never shows its contents: not in a log, not in a
traceback, not in a debugger that prints it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import format_datetime
from functools import lru_cache

from shared.notifications.senders import mime
from shared.notifications.senders.headers import (
    CONTROL,
    Folded,
    folded_mailbox,
    folded_text,
    name_and_address,
)
from shared.trade.contact import dns_domain

EMAIL_ADDRESS = re.compile(r"[^\s<>@:;,\"']+@[^\s<>@:;,\"']+")
PHONE_NUMBER = re.compile(r"\+?\d[\d ]{6,}\d")
MESSAGE_HEADER = "X-Stappenplan-Message"
E164 = re.compile(r"\+[1-9]\d{6,14}")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A document that goes with a mail; `media_type` is e.g. `application/pdf`."""

    filename: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Email:
    """One mail to one person, as text and as HTML that say the same.

    `message_key` is the same for each try to send this mail, unless each try writes another (a
    password of its own); `kind` names its template.
    """

    to: str
    subject: str
    text: str
    html: str
    language: str
    reply_to: str | None
    attachments: tuple[Attachment, ...]
    message_key: str
    kind: str = "notification"

    def __repr__(self) -> str:
        return f"Email(kind={self.kind!r}, to={masked(self.to)!r}, key={self.message_key!r}, ***)"

    def as_bytes(self, sender: str, date: datetime) -> bytes:
        """The mail as it travels, in ASCII (RFC 5322).

        Raises:
            ValueError: an address or file name cannot stand in a header.
        """
        headers = self._headers(named_mailbox(sender), date)
        enclosed = [
            mime.enclosed(document.filename, document.media_type, document.content)
            for document in self.attachments
        ]
        return mime.assemble(headers, self.text, self.html, self.language, enclosed)

    def _headers(self, sender: Address, date: datetime) -> Iterator[tuple[str, str]]:
        yield "Subject", folded_text("Subject", self.subject)
        yield "From", folded_mailbox(sender)
        yield "To", folded_mailbox(mailbox(self.to))
        if self.reply_to:
            yield "Reply-To", folded_mailbox(named_mailbox(self.reply_to))
        yield "Date", Folded(format_datetime(date))
        yield "Message-ID", Folded(f"<{self.message_key}@{sender.domain}>")
        # RFC 3834: asks answering machines to keep silent.
        yield "Auto-Submitted", Folded("auto-generated")
        yield MESSAGE_HEADER, mime.plain(MESSAGE_HEADER, self.message_key)


@dataclass(frozen=True, slots=True)
class Sms:
    """One text message; `to` is a number in E.164, `text` fits the GSM 7-bit alphabet."""

    to: str
    text: str
    message_key: str
    kind: str = "notification"

    def __repr__(self) -> str:
        return f"Sms(kind={self.kind!r}, to={masked(self.to)!r}, key={self.message_key!r}, ***)"


OutgoingMessage = Email | Sms


@lru_cache(maxsize=64)
def mailbox(address: str) -> Address:
    """A bare e-mail address for a header, its domain in ASCII (IDNA).

    The last ones are kept: a sender and an office write many mails, and a recipient is asked for
    by the header and by the envelope.

    Raises:
        ValueError: it is no single address, or its local part is not ASCII, which few relays
            accept (RFC 6531).
    """
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or not local.isascii():
        raise ValueError("not an e-mail address that mail servers accept")
    try:
        return Address(addr_spec=f"{local}@{dns_domain(domain)}")
    except (MessageError, IndexError) as error:  # Python's reader of addresses ends in these, too.
        raise ValueError("not an e-mail address that mail servers accept") from error


@lru_cache(maxsize=64)
def named_mailbox(text: str) -> Address:
    """`Name <address>`, or an address alone, for a header; the name may be in any script.

    Raises:
        ValueError: the address is none that mail servers accept.
    """
    name, address = name_and_address(text)
    bare = mailbox(address)
    return Address(CONTROL.sub(" ", name), bare.username, bare.domain)


def phone_number(number: str) -> str:
    """The number, which must be in E.164: a plus, the country's code, no blanks.

    Without the plus, SNS in some regions reads a number as one of its own country.

    Raises:
        ValueError: it is not.
    """
    if not E164.fullmatch(number):
        raise ValueError("the telephone number is not in E.164")
    return number


def masked_address(address: str) -> str:
    """An address that its owner recognises, and nobody else learns: `j***@bakkerij.example`."""
    return f"{address[:1]}***@{address.rpartition('@')[2]}"


def masked(text: str) -> str:
    """The text with its e-mail addresses and telephone numbers made unrecognisable."""
    text = EMAIL_ADDRESS.sub(lambda match: masked_address(match[0]), text)
    return PHONE_NUMBER.sub(lambda match: f"{match[0][:3]}***{match[0][-2:]}", text)
