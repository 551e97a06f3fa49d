"""A mail put together here has the bytes that Python's own assembly gives it."""

import random
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

import pytest

from shared.notifications.messages import Mail
from shared.notifications.senders.headers import (
    MAIL_POLICY,
    Folded,
    folded_mailbox,
    folded_text,
)
from shared.notifications.senders.outgoing import Attachment, Email, mailbox, named_mailbox
from shared.processing.testing import MONDAY
from tests.unit.notifications.test_every_mail import every_mail, rendered

SENDER = "iMUIS Online <noreply@stappenplan.example>"
BOUNDARY = re.compile(rb"=============== *\d+==")
MAIL = Email(
    "anna@bakkerij.example",
    "Uw inschrijving",
    "Dag Anna,\n\nTot ziens.\n",
    "<p>Dag Anna,</p>\n",
    "nl",
    "De Linde <k@delinde.example>",
    (),
    "billing.3f0c9a5e-0d6b-4c2f-9a3e-1b7d5c8e2f40",
)
PDF = Attachment("orderbevestiging.pdf", "application/pdf", b"%PDF-1.7 \x00\xff\r\n" * 4000)


def by_the_library(email: Email, sender: str, date: datetime) -> bytes:
    """The mail as Python's email package makes it."""
    message = EmailMessage(policy=MAIL_POLICY)
    for name, value in headers(email, sender, date):
        message[name] = value
    message.set_content(email.text, cte="quoted-printable")
    message.add_alternative(email.html, subtype="html", cte="quoted-printable")
    for part in message.iter_parts():
        part["Content-Language"] = email.language
    for attachment in email.attachments:
        maintype, _, subtype = attachment.media_type.partition("/")
        message.add_attachment(
            attachment.content, maintype=maintype, subtype=subtype, filename=attachment.filename
        )
    message["Content-Language"] = email.language
    return message.as_bytes()


def headers(email: Email, sender: str, date: datetime) -> Iterator[tuple[str, str]]:
    yield "Subject", folded_text("Subject", email.subject)
    yield "From", folded_mailbox(named_mailbox(sender))
    yield "To", folded_mailbox(mailbox(email.to))
    if email.reply_to:
        yield "Reply-To", folded_mailbox(named_mailbox(email.reply_to))
    yield "Date", format_datetime(date)
    yield "Message-ID", Folded(f"<{email.message_key}@{named_mailbox(sender).domain}>")
    yield "Auto-Submitted", "auto-generated"
    yield "X-Stappenplan-Message", email.message_key


def without_chance(mail: bytes) -> bytes:
    """The mail, its boundaries numbered in the order in which they are met."""
    met: list[bytes] = []

    def number(match: re.Match[bytes]) -> bytes:
        if match[0] not in met:
            met.append(match[0])
        return b"boundary-%d" % met.index(match[0])

    return BOUNDARY.sub(number, mail)


def is_made_alike(email: Email, sender: str = SENDER) -> bool:
    ours = without_chance(email.as_bytes(sender, MONDAY))
    return ours == without_chance(by_the_library(email, sender, MONDAY))


@every_mail
def test_every_mail_has_the_bytes_that_the_library_gives_it(
    service: str, mail: Mail, language: str
) -> None:
    assert is_made_alike(rendered(service, mail, language))


DIFFICULT_TEXTS = {
    "empty": "",
    "without a last line end": "Dag",
    "lines of every end": "een\r\ntwee\rdrie\n\n\nvier \n",
    "blanks at the end of a line": "een \ntwee\t\n   \n" + "a" * 76 + " \n" + "b" * 77 + " \n",
    "long lines": "x" * 300 + "\n" + "é" * 200 + "\n" + "a = b " * 60,
    "other controls": "een\x0btwee\x0cdrie\x1cvier\x85vijf\u2028zes\x00",
    "other scripts": "金龍酒樓 👍🏽 مطعم\n",
    "what looks like a boundary": "--===============1234567890123456789==--\n.\nFrom me\n",
}


@pytest.mark.parametrize("text", DIFFICULT_TEXTS.values(), ids=DIFFICULT_TEXTS)
def test_a_difficult_text_is_written_as_the_library_writes_it(text: str) -> None:
    # Given a text that is not easily sent, When it is a mail's, Then nothing of it is other.
    assert is_made_alike(replace(MAIL, text=text, html=text))
    assert is_made_alike(replace(MAIL, text=text, html=text, attachments=(PDF,)))


def test_lines_of_every_length_are_broken_where_the_library_breaks_them() -> None:
    chance = random.Random(18)
    for length in range(60, 240):
        line = "".join(chance.choices("ab =é\t", k=length))
        assert is_made_alike(replace(MAIL, text=line, html=f"<p>{line}\n</p>"))


@pytest.mark.parametrize(
    "attachments",
    [
        (PDF,),
        (PDF, replace(PDF, filename="bijlage é met spaties en een lange naam " * 4 + ".pdf")),
        *((replace(PDF, filename="f" * size),) for size in (1, 33, 34, 35, 36, 37, 80)),
        (Attachment('a "b" \\ c.txt', "text/plain", b"hoi"),),
        *((replace(PDF, content=b"x" * size),) for size in (0, 1, 56, 57, 58, 113, 114)),
    ],
)
def test_documents_are_enclosed_as_the_library_encloses_them(
    attachments: tuple[Attachment, ...],
) -> None:
    email = replace(MAIL, attachments=attachments)
    assert is_made_alike(email)
    assert is_made_alike(replace(email, to="oma@holding.example"))


@pytest.mark.parametrize(
    "changed",
    [
        {"message_key": "k" * 60},
        {"message_key": "billing." + "3f0c9a5e " * 20},
        {"message_key": "=?utf-8?q?x?="},
        {"subject": "Uw order – «gereed» " * 8},
        {"subject": ""},
        {"reply_to": None},
        {"to": "anna@bäckerei.example"},
        {"language": "en-GB"},
    ],
)
def test_odd_headers_are_written_as_the_library_writes_them(changed: dict[str, str]) -> None:
    assert is_made_alike(replace(MAIL, **changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changed",
    [
        {"message_key": "k\r\nBcc: everybody@example.org"},
        {"message_key": "k\nBcc: everybody@example.org"},
        {"language": "nl\r\nBcc: everybody@example.org"},
        {"message_key": "sleutel-é"},
        {"to": "anna@bakkerij.example\r\nBcc: everybody@example.org"},
        {"text": "\ud800"},
    ],
)
def test_what_the_library_refuses_is_refused(changed: dict[str, str]) -> None:
    # Given a mail that would say more than it should, or cannot be written,
    email = replace(MAIL, **changed)  # type: ignore[arg-type]
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says, it has not been written.
        by_the_library(email, SENDER, MONDAY)
    # When it is put together, Then it is refused as well.
    with pytest.raises(ValueError):  # noqa: PT011 - see above.
        email.as_bytes(SENDER, MONDAY)


def test_the_boundary_is_another_in_each_mail_and_in_each_of_its_levels() -> None:
    email = replace(MAIL, attachments=(PDF,))
    boundaries = [set(BOUNDARY.findall(email.as_bytes(SENDER, MONDAY))) for _ in range(2)]
    assert len(boundaries[0] | boundaries[1]) == 4
