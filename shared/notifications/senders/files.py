"""Mails and text messages as files: the default, and the stand-in for SES and SNS.

A message that is handed over twice becomes two files, as it would become two mails: a folder
that overwrote the first would hide from tests and from people what a customer would receive.
"""

import os
import re
import secrets
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import structlog

from shared.notifications.senders.outgoing import (
    Email,
    OutgoingMessage,
    Sms,
    masked,
    phone_number,
)
from shared.notifications.senders.protocol import ProviderUnavailable, Undeliverable

log = structlog.get_logger()

FORBIDDEN_IN_FILE_NAME = re.compile(r"[^A-Za-z0-9_.-]+")
MAX_NAME_PART_CHARACTERS = 80


class MailFolder:
    """Writes each mail as one `.eml` that any mail program opens."""

    def __init__(self, folder: Path, mail_from: str) -> None:
        self._folder = folder
        self._mail_from = mail_from

    def send(self, message: Email) -> str:
        """Write the mail; returns the file's name.

        Raises:
            ProviderUnavailable: the folder cannot be written, or is full.
            Undeliverable: an address cannot stand in a mail.
        """
        now = datetime.now(UTC)
        try:
            content = message.as_bytes(self._mail_from, now)
        except ValueError as error:
            raise Undeliverable(str(error)) from None
        name = _file_name(now, message, ".eml")
        _write(self._folder, name, content)
        log.info("mail_written", provider_id=name, to=masked(message.to))
        return name


class SmsFolder:
    """Writes each text message as one `.txt`: `To:`, `Date:`, an empty line, the text."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: Sms) -> str:
        """Write the text message; returns the file's name.

        Raises:
            ProviderUnavailable: the folder cannot be written, or is full.
            Undeliverable: the number is not in E.164.
        """
        try:
            number = phone_number(message.to)
        except ValueError as error:
            raise Undeliverable(str(error)) from None
        now = datetime.now(UTC)
        name = _file_name(now, message, ".txt")
        content = f"To: {number}\nDate: {format_datetime(now)}\n\n{message.text}\n"
        _write(self._folder, name, content.encode())
        log.info("sms_written", provider_id=name, to=masked(number))
        return name


def _file_name(now: datetime, message: OutgoingMessage, suffix: str) -> str:
    """A name that sorts by time, then says of what kind it is and which message."""
    moment = now.strftime("%Y%m%dT%H%M%S.%fZ")
    kind, key = (
        FORBIDDEN_IN_FILE_NAME.sub("_", part)[:MAX_NAME_PART_CHARACTERS]
        for part in (message.kind, message.message_key)
    )
    return f"{moment}-{kind}-{key}{suffix}"


def _write(folder: Path, name: str, content: bytes) -> None:
    """Readers see the whole file or none; only this user may read what may hold a password."""
    draft = folder / f".{secrets.token_hex(8)}.draft"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            draft.rename(folder / name)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        # Full, read-only, somebody else's: no message is to blame, and none has left.
        raise ProviderUnavailable(f"cannot write to {folder.name}/: {error.strerror}") from error
