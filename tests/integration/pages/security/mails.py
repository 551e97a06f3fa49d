"""What of a mail comes from what somebody typed, and is more than text."""

import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from tests.integration.pages.security.markup import MARK, typed_markup


@dataclass(frozen=True)
class ReadMail:
    """One mail: its kind, its part that is markup, and what is wrong with it."""

    kind: str
    html: str
    wrong: list[str]


def read_mails(folder: Path) -> list[ReadMail]:
    """All that were written to this folder."""
    return [_read(path) for path in sorted(folder.glob("*.eml"))]


def _read(path: Path) -> ReadMail:
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    part = mail.get_body(("html",))
    html = part.get_content() if part is not None else ""
    wrong = [f"{path.name}: {one}" for one in (*typed_markup(html, is_mail=True), *_outside(mail))]
    return ReadMail(path.name.split("-")[1], html, wrong)


def _outside(mail: EmailMessage) -> Iterator[str]:
    """A header, or the name of a file, that was typed."""
    names = {name.lower() for name in mail.keys()}  # noqa: SIM118
    yield from names & {"bcc", "cc", MARK}
    for part in mail.iter_attachments():
        name = part.get_filename() or ""
        if not re.fullmatch(r"[\w-]+\.pdf", name):
            yield name
