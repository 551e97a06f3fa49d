"""Mails and text messages that were written as files, read for a person to look at."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,250}\.(eml|txt)")
SHOWN = 60


@dataclass(frozen=True)
class Enclosed:
    """A file that came with a mail."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Letter:
    """One mail or text message as it arrived."""

    name: str
    is_sms: bool
    sender: str
    to: str
    subject: str
    at: datetime
    text: str
    html: str = ""
    enclosed: tuple[Enclosed, ...] = ()


class Mailbox:
    """The folder of what was mailed, and that of what was texted."""

    def __init__(self, data_dir: Path, sms_sender: str) -> None:
        self._folders = {".eml": data_dir / "mail", ".txt": data_dir / "sms"}
        self._sms_sender = sms_sender

    def latest(self, limit: int = SHOWN) -> list[Letter]:
        """What came last, the newest first; names begin with the time."""
        names = sorted(
            (path.name for folder in self._folders.values() for path in folder.glob("[0-9]*")),
            reverse=True,
        )
        return list(self._read(names[:limit]))

    def version(self) -> str:
        """A text that changes when something comes."""
        newest = [
            max((path.name for path in folder.glob("[0-9]*")), default="")
            for folder in self._folders.values()
        ]
        return "-".join(newest)

    def find(self, name: str) -> Letter | None:
        """The one of this name, if it is there."""
        return next(self._read([name]), None) if NAME.fullmatch(name) else None

    def _read(self, names: list[str]) -> Iterator[Letter]:
        for name in names:
            path = self._folders[Path(name).suffix] / name
            try:
                content = path.read_bytes()
            except OSError:
                continue  # Somebody has tidied up.
            yield _mail(name, content) if path.suffix == ".eml" else self._sms(name, content)

    def _sms(self, name: str, content: bytes) -> Letter:
        head, _, text = content.decode(errors="replace").partition("\n\n")
        fields = dict(line.partition(": ")[::2] for line in head.splitlines())
        to, at = fields.get("To", ""), _moment(fields.get("Date"))
        return Letter(name, True, self._sms_sender, to, "", at, text.strip())


def _mail(name: str, content: bytes) -> Letter:
    mail = message_from_bytes(content, policy=policy.default)
    assert isinstance(mail, EmailMessage)  # noqa: S101 - what this policy makes.
    enclosed = tuple(
        Enclosed(
            part.get_filename() or "bijlage",
            part.get_content_type(),
            bytes(part.get_payload(decode=True) or b""),
        )
        for part in mail.iter_attachments()
    )
    return Letter(
        name,
        False,
        str(mail["From"]),
        str(mail["To"]),
        str(mail["Subject"]),
        _moment(mail["Date"]),
        _body(mail, "plain"),
        _body(mail, "html"),
        enclosed,
    )


def _body(mail: EmailMessage, subtype: str) -> str:
    part = mail.get_body((subtype,))
    return str(part.get_content()) if part is not None else ""


def _moment(text: object) -> datetime:
    try:
        return parsedate_to_datetime(str(text)).astimezone(UTC)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
