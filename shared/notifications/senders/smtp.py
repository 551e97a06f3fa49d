"""Mails through any mail server (RFC 5321), with STARTTLS unless told otherwise.

SMTP has no idempotency key: a mail whose answer got lost may have left. What happens to it after
the server has taken it, comes back as a mail to the sender's address.
"""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import structlog

from shared.notifications.senders.outgoing import Email, mailbox, masked, named_mailbox
from shared.notifications.senders.protocol import ProviderUnavailable, SendFailed, Undeliverable
from shared.notifications.senders.smtp_url import SmtpServer

log = structlog.get_logger()

TIMEOUT_SECONDS = 10
"""For each answer but the last."""
TAKING_SECONDS = 30
"""For a server that looks into a mail before it takes it. Three tries at one that falls silent must
be over well within the lease of a notification."""

OUR_ACCOUNT = frozenset({421, 454, 530, 534, 535, 538})
"""Replies that speak of us or of the server, never of the message (RFC 4954, RFC 5321)."""
PERMANENT = 500
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
            SendFailed: it was refused for now, or nobody knows whether it was taken.
            ProviderUnavailable: the server cannot be reached, is not safe, or refuses us.
            Undeliverable: the server refuses this mail, its sender or its recipient for good.
        """
        try:
            content = message.as_bytes(self._mail_from, datetime.now(UTC))
            sender = named_mailbox(self._mail_from).addr_spec
            recipient = mailbox(message.to).addr_spec
        except ValueError as error:
            raise Undeliverable(str(error)) from None
        with connection(self._server) as smtp, _interrupted():
            _require(smtp.mail(sender), of_all=True)
            _require(smtp.rcpt(recipient))
            if smtp.sock is not None:
                smtp.sock.settimeout(TAKING_SECONDS)
            reply = _require(smtp.data(content))
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
    """A connection that ends or falls silent on the way: the mail may have been taken, or not.

    Raises:
        SendFailed: it ended.
        ProviderUnavailable, Undeliverable: it did not, and smtplib had looked at a reply itself.
    """
    try:
        yield
    except smtplib.SMTPResponseException as refusal:
        words = refusal.smtp_error
        _require((refusal.smtp_code, words if isinstance(words, bytes) else words.encode()))
    except (OSError, smtplib.SMTPException) as error:
        raise SendFailed(f"the mail server broke off: {_reason(error)}") from None


def _require(reply: tuple[int, bytes], *, of_all: bool = False) -> str:
    """The server's words where it agrees; `of_all` where a refusal for now meets every mail.

    Raises:
        SendFailed, ProviderUnavailable, Undeliverable: it does not.
    """
    code, words = reply[0], " ".join(reply[1].decode("ascii", "replace").split())
    said = words[:MAX_REPLY_CHARACTERS]
    if code in OUR_ACCOUNT or (of_all and 400 <= code < PERMANENT):
        raise ProviderUnavailable(f"the mail server replied {code}: {masked(said)}")
    if code >= PERMANENT:
        raise Undeliverable(f"the mail server refused it: {code} {said}")
    if not 200 <= code < 300:
        raise SendFailed(f"the mail server replied {code}: {masked(said)}")
    return said


def _reason(error: Exception) -> str:
    """What went wrong, in the error's name and the reply's code: nothing that anybody wrote."""
    code = getattr(error, "smtp_code", None)
    name = type(error).__name__
    return name if code is None else f"{name} ({code})"
