"""Mails and text messages as files: the default, and the stand-in for SES and SNS.

A letter that is handed over twice becomes two files, as it would become two mails: a folder
that overwrote the first would hide from tests and from people what a customer would receive.
"""

import os
import re
import secrets
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import structlog

from shared.notifications.letters import Email, Sms, masked
from shared.notifications.senders import SendFailed, SendRefused

log = structlog.get_logger()

UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
E164 = re.compile(r"\+[1-9]\d{6,14}")


class MailFolder:
    """Writes each mail as one `.eml` that any mail program opens."""

    def __init__(self, folder: Path, mail_from: str) -> None:
        self._folder = folder
        self._mail_from = mail_from

    def send(self, letter: Email) -> str:
        """Write the mail; returns the file's name.

        Raises:
            SendFailed: the folder cannot be written.
            SendRefused: an address cannot stand in a mail.
        """
        now = datetime.now(UTC)
        try:
            content = letter.as_bytes(self._mail_from, now)
        except ValueError as error:
            raise SendRefused(str(error)) from None
        name = _name(now, letter, ".eml")
        _write(self._folder, name, content)
        log.info("mail_written", message_id=name, to=masked(letter.to))
        return name


class SmsFolder:
    """Writes each text message as one `.txt`: `To:`, `Date:`, an empty line, the text."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, letter: Sms) -> str:
        """Write the text message; returns the file's name.

        Raises:
            SendFailed: the folder cannot be written.
            SendRefused: the number is not in E.164.
        """
        if not E164.fullmatch(letter.to):
            raise SendRefused("the telephone number is not in E.164")
        now = datetime.now(UTC)
        name = _name(now, letter, ".txt")
        content = f"To: {letter.to}\nDate: {format_datetime(now)}\n\n{letter.text}\n"
        _write(self._folder, name, content.encode())
        log.info("sms_written", message_id=name, to=masked(letter.to))
        return name


def _name(now: datetime, letter: Email | Sms, suffix: str) -> str:
    """Sorts by time, then tells what it is and which message."""
    moment = now.strftime("%Y%m%dT%H%M%S.%fZ")
    kind, key = (UNSAFE.sub("_", part)[:80] for part in (letter.kind, letter.message_key))
    return f"{moment}-{kind}-{key}{suffix}"


def _write(folder: Path, name: str, content: bytes) -> None:
    """Readers see the whole file or none; only this user may read what may hold a password."""
    draft = folder / f".{secrets.token_hex(8)}.draft"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as f:
                f.write(content)
            draft.rename(folder / name)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise SendFailed(f"cannot write to {folder.name}: {type(error).__name__}") from error
