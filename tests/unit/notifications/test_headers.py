"""Headers of a mail: whatever is written in them is read again, sign by sign, after folding."""

import base64
import quopri
import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.events.shapes import Office
from shared.notifications.offices import reply_to
from shared.notifications.senders import Attachment, Email
from shared.notifications.senders.headers import name_and_address

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SENDER = "iMUIS Online <noreply@stappenplan.example>"
ADDRESS = "k@delinde.example"
PDF = Attachment("orderbevestiging.pdf", "application/pdf", b"%PDF-1.7 ...")

ENCODED_WORD = re.compile(r"=\?utf-8\?([qb])\?([^? ]*)\?=")
BETWEEN_ENCODED_WORDS = re.compile(r"(?<=\?=)\s+(?==\?)")

written = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=400)
"""What may stand in a subject or a name; control characters are refused or dropped before."""


def mail(subject: str = "Dag", to: str = "klant@bakkerij.example", language: str = "nl") -> Email:
    return Email(to, subject, "Dag", "<p>Dag</p>", language, None, (PDF,), "key")


def travelled(email: Email, sender: str = SENDER) -> EmailMessage:
    """The mail as its reader's program takes it."""
    message = message_from_bytes(email.as_bytes(sender, NOW), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def raw_header(email: Email, name: str, sender: str = SENDER) -> list[str]:
    """The lines of a header as they travel, the first without its name."""
    head = email.as_bytes(sender, NOW).decode("ascii").partition("\r\n\r\n")[0]
    match = re.search(rf"^{name}: ([^\r]*(?:\r\n[ \t][^\r]*)*)", head, re.MULTILINE)
    assert match is not None
    return match[1].split("\r\n")


def decoded_by_hand(lines: list[str]) -> str:
    """The header as RFC 2047 reads it, without Python's own reader."""
    unfolded = BETWEEN_ENCODED_WORDS.sub("", "".join(lines))
    return ENCODED_WORD.sub(lambda word: _contents(word[1], word[2]), unfolded)


def _contents(encoding: str, text: str) -> str:
    if encoding == "b":
        return base64.b64decode(text, validate=True).decode()
    return quopri.decodestring(text.encode(), header=True).decode()


@settings(deadline=None)  # The first try loads what the others find loaded.
@given(written)
@example("Order- en incassobevestiging O-2026-000123: graag ondertekenen en terugsturen, Café Ünlü")
@example("é" * 31 + " " + "é" * 31 + "  " + "ok " * 40 + "é")
@example("a" * 300)
@example("=?utf-8?q?verstopt?=")
@example("  blanks  at both ends ")
@example("👩‍🍳 " * 40)
def test_a_subject_is_read_as_it_was_written(subject: str) -> None:
    # Given any subject, When its mail has travelled,
    email = mail(subject)
    # Then Python's reader and one by the letter of RFC 2047 both read it, blanks and all.
    assert travelled(email)["Subject"] == subject
    lines = raw_header(email, "Subject")
    assert decoded_by_hand(lines) == subject
    # And no line, and no encoded word, is longer than may be.
    assert all(len(line) <= 76 for line in lines[1:])
    assert len(f"Subject: {lines[0]}") <= 76
    assert all(len(word[0]) <= 75 for word in ENCODED_WORD.finditer("".join(lines)))


@settings(deadline=None)  # The first try loads what the others find loaded.
@given(written.filter(str.strip))
@example("Administratiekantoor De Linde, Jansen & Zonen (voorbeeld) " * 5)
@example('Jansen, "De" Boer \\ <x@y.example>;')
@example("1️⃣ Kantoor 👍🏽 会計 ร้านบัญชี")
def test_a_name_before_an_address_is_read_as_it_was_written(name: str) -> None:
    # Given an office with any name, however long, When it stands in From and in Reply-To,
    quoted = re.sub(r'(["\\])', r"\\\1", name)
    named = f'"{quoted}" <{ADDRESS}>'
    email = replace(mail(), reply_to=named)
    message = travelled(email, named)
    for header in ("From", "Reply-To"):
        # Then its address is whole, and the name is read as it was written.
        (address,) = message[header].addresses
        assert address.addr_spec == ADDRESS
        lines = raw_header(email, header, named)
        assert all(len(line) <= 76 for line in lines)
        phrase = decoded_by_hand(lines).removesuffix(f" <{ADDRESS}>")
        assert name in (phrase, re.sub(r"\\(.)", r"\1", phrase[1:-1]))
        # Python's reader puts a blank of its own between the encoded words of a name.
        if len(ENCODED_WORD.findall("".join(lines))) < 2:
            assert address.display_name == name


@settings(deadline=None)  # The first try loads what the others find loaded.
@given(written.map(lambda name: " ".join(name.split())).filter(bool))
@example('"De Linde" en "Zonen"')
@example("Jansen \\\\ Zonen \\\\")
@example("=?utf-8?q?Jansen?=")
@example("=?no-such-code?q?a?=")
@example("Jansen <en> Zn <x@y.example>")
def test_an_office_of_any_name_is_answered_under_that_name(name: str) -> None:
    # Given an office, When it is named as who gets the answers,
    mailbox = reply_to(Office.model_construct(code="0042", name=name, email=ADDRESS))
    # Then whoever takes that apart finds the same name, sign by sign, and the same address.
    assert name_and_address(mailbox) == (name, ADDRESS)


def test_an_address_is_never_broken_however_long() -> None:
    # Given addresses as long as may be, When a mail is made,
    to = "k" * 64 + "@" + ".".join(["bakkerij" * 7] * 3) + ".example"
    sender = "noreply@" + ".".join(["stappenplan" * 5] * 3) + ".example"
    message = travelled(mail(to=to), sender)
    # Then each stands whole, on its own line, and so does the id that has the domain in it.
    assert message["To"].addresses[0].addr_spec == to
    assert message["From"].addresses[0].addr_spec == sender
    assert message["Message-ID"] == f"<key@{sender.partition('@')[2]}>"


def test_no_line_break_makes_another_header() -> None:
    # Given a subject and a name with line breaks in them, When the mail has travelled,
    message = travelled(
        mail("Dag\r\nBcc: x@elders.example\n\nx"), "Kantoor\r\nBcc: x <a@b.example>"
    )
    # Then they are blanks, and there is no header of their making.
    assert message["Subject"] == "Dag Bcc: x@elders.example x"
    assert message["Bcc"] is None
    assert message["From"].addresses[0].addr_spec == "a@b.example"


@pytest.mark.parametrize("language", ["nl", "en"])
def test_a_mail_and_each_of_its_texts_say_in_which_language_they_are(language: str) -> None:
    # Given a mail with a document, When it has travelled,
    message = travelled(mail(language=language))
    # Then the mail, its text and its HTML all say their language, once.
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    for part in (message, plain, html):
        assert part.get_all("Content-Language") == [language]


def test_a_short_subject_in_ascii_stands_as_it_is() -> None:
    assert raw_header(mail("Uw inloggegevens: Bakkerij"), "Subject")[0].strip() == (
        "Uw inloggegevens: Bakkerij"
    )
