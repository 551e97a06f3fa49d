"""Mails through any mail server (RFC 5321), with STARTTLS unless told otherwise.

SMTP has no idempotency key: a mail whose last answer got lost may have left. Until its content has
been sent whole it has not. What happens to it after the server has taken it, comes back as a mail
to the sender's address.
"""

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import structlog

from shared.notifications.senders.outgoing import Email, mailbox, masked, named_mailbox
from shared.notifications.senders.protocol import (
    PerhapsTaken,
    ProviderUnavailable,
    RefusedForNow,
    SendFailed,
    Undeliverable,
)
from shared.notifications.senders.smtp_url import SmtpServer

log = structlog.get_logger()

TIMEOUT_SECONDS = 10
"""For each answer before the content. Three tries at a server that falls silent must be over well
within the lease of a notification."""
TAKING_SECONDS = 30
"""For a server that looks into a mail before it takes it. There is one such try in a lease."""

CRLF = b"\r\n"
LEADING_DOT = re.compile(rb"(?m)^\.")
"""A line of a dot alone would end the mail: one that begins a line is doubled (RFC 5321, 4.5.2)."""

OUR_ACCOUNT = frozenset({421, 454, 530, 534, 535, 538})
"""Replies that speak of us or of the server, never of the message (RFC 4954, RFC 5321)."""
GO_ON = 354
PERMANENT = 500

ABOUT_RECIPIENT = frozenset({450, 451, 452})
"""Refusals for now of a recipient: greylisted, its mailbox locked or full."""
OF_THE_MAIL_SYSTEM = re.compile(rb"4\.3\.")
"""Begins the words of a refusal that meets every recipient: a full disk, say (RFC 3463, 3.4)."""
MAX_REPLY_CHARACTERS = 150


class SmtpSender:
    """Hands each mail to a mail server, over a connection of its own.

    `mail_from` is whom the mail is from, and where what cannot be delivered comes back to.
    """

    def __init__(self, server: SmtpServer, mail_from: str) -> None:
        self._server = server
        self._mail_from = mail_from

    def send(self, message: Email) -> str:
        """Hand the mail over; returns the server's reply, which names it in its log.

        Raises:
            SendFailed: it was refused for now, or the server broke off before it had all of it.
            PerhapsTaken: the server has all of it, and did not say what came of it.
            RefusedForNow: the recipient is refused for now.
            ProviderUnavailable: the server cannot be reached, is not safe, or refuses us.
            Undeliverable: the server refuses this mail, its sender or its recipient for good.
        """
        try:
            content = message.as_bytes(self._mail_from, datetime.now(UTC))
            sender = named_mailbox(self._mail_from).addr_spec
            recipient = mailbox(message.to).addr_spec
        except ValueError as error:
            raise Undeliverable(str(error)) from None
        with connection(self._server) as smtp:
            with _interrupted():
                _require(smtp.mail(sender), of_all=True)
                _require_recipient(smtp.rcpt(recipient))
                _send_content(smtp, content)
            reply = _require(_last_reply(smtp))
        log.info("mail_handed_over", provider_id=reply, to=masked(message.to))
        return reply


@contextmanager
def connection(server: SmtpServer, timeout: float = TIMEOUT_SECONDS) -> Iterator[smtplib.SMTP]:
    """A connection to the server on which mails may be handed over, hung up afterwards.

    Raises:
        ProviderUnavailable: it cannot be reached, offers no TLS though it should, or does not
            know us.
    """
    try:
        smtp = _connect(server, timeout)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        # Never its text: a server may repeat what it was told, a password among it.
        raise ProviderUnavailable(f"{server.name}: {_reason(error)}") from None
    try:
        yield smtp
    finally:
        with suppress(OSError, smtplib.SMTPException):
            smtp.quit()
        smtp.close()


def _connect(server: SmtpServer, timeout: float) -> smtplib.SMTP:
    context = ssl.create_default_context()
    smtp: smtplib.SMTP
    if server.tls:
        smtp = smtplib.SMTP_SSL(server.host, server.port, timeout=timeout, context=context)
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=timeout)
    try:
        if server.starttls:
            # Raises where it is not offered: neither password nor mail travels for all to read.
            smtp.starttls(context=context)
        smtp.ehlo_or_helo_if_needed()
        if server.user:
            smtp.login(server.user, server.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


@contextmanager
def _interrupted() -> Iterator[None]:
    """A connection that ends or falls silent before the final dot: the mail was not taken.

    Raises:
        SendFailed: it ended, or nothing can be made of a reply.
        ProviderUnavailable, Undeliverable: it did not, and smtplib had looked at a reply itself.
    """
    try:
        yield
    except smtplib.SMTPResponseException as refusal:
        words = refusal.smtp_error
        _require((refusal.smtp_code, words if isinstance(words, bytes) else words.encode()))
        raise SendFailed(f"the mail server broke off: {_reason(refusal)}") from None
    except (OSError, smtplib.SMTPException) as error:
        raise SendFailed(f"the mail server broke off: {_reason(error)}") from None


def _send_content(smtp: smtplib.SMTP, content: bytes) -> None:
    """Send it up to the final dot, without which no server may take it (RFC 5321, 4.1.1.4).

    `smtplib.SMTP.data` also waits for the reply, and its errors do not tell before from after.
    """
    if smtp.sock is not None:
        smtp.sock.settimeout(TAKING_SECONDS)
    code, words = smtp.docmd("DATA")
    if code != GO_ON:
        raise smtplib.SMTPDataError(code, words)
    end = b"" if content.endswith(CRLF) else CRLF
    smtp.send(LEADING_DOT.sub(b"..", content) + end + b"." + CRLF)


def _last_reply(smtp: smtplib.SMTP) -> tuple[int, bytes]:
    """What the server says once it has all of the mail.

    Raises:
        PerhapsTaken: nothing, or nothing that says whether it took it.
    """
    try:
        reply = smtp.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise _perhaps_taken(_reason(error)) from None
    if reply[0] // 100 not in (2, 4, 5):
        raise _perhaps_taken(f"replied {reply[0]}")
    return reply


def _perhaps_taken(reason: str) -> PerhapsTaken:
    return PerhapsTaken(
        f"it may have arrived: the mail server had all of it and gave no answer ({reason})"
    )


def _require_recipient(reply: tuple[int, bytes]) -> None:
    """A server that has agreed to the sender, and now refuses the recipient, works for others.

    Raises:
        RefusedForNow, SendFailed, ProviderUnavailable, Undeliverable: it does not agree.
    """
    code, words = reply
    if code in ABOUT_RECIPIENT and not OF_THE_MAIL_SYSTEM.match(words):
        raise RefusedForNow(f"the mail server replied {code}: {masked(_shortened(words))}")
    _require(reply)


def _require(reply: tuple[int, bytes], *, of_all: bool = False) -> str:
    """The server's words where it agrees; `of_all` where a refusal for now meets every mail.

    Raises:
        SendFailed, ProviderUnavailable, Undeliverable: it does not.
    """
    code, said = reply[0], _shortened(reply[1])
    if code in OUR_ACCOUNT or (of_all and 400 <= code < PERMANENT):
        raise ProviderUnavailable(f"the mail server replied {code}: {masked(said)}")
    if code >= PERMANENT:
        raise Undeliverable(f"the mail server refused it: {code} {said}")
    if not 200 <= code < 300:
        raise SendFailed(f"the mail server replied {code}: {masked(said)}")
    return said


def _shortened(words: bytes) -> str:
    return " ".join(words.decode("ascii", "replace").split())[:MAX_REPLY_CHARACTERS]


def _reason(error: Exception) -> str:
    """What went wrong, in the error's name and the reply's code: nothing that anybody wrote."""
    code = getattr(error, "smtp_code", None)
    name = type(error).__name__
    return name if code is None else f"{name} ({code})"
