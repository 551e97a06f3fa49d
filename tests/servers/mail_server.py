"""A little mail server (RFC 5321) that keeps what it takes and refuses what it is told to.

It speaks over a real socket, in clear, with STARTTLS (RFC 3207) or TLS from the first byte, and
knows one user (AUTH PLAIN, RFC 4954).
"""

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "stappenplan", "geheim/van@de:post"
DIES = "dies"
"""Told as a reply: the connection ends there."""
TAKES_AND_DIES, TAKES_AND_FALLS_SILENT = "takes it and dies", "takes it and falls silent"
"""Told as a reply to the final dot: the mail is taken, and nobody is told."""
UNTOLD = (TAKES_AND_DIES, TAKES_AND_FALLS_SILENT)


@dataclass
class MailServer:
    """What it was told to do, and what came of it."""

    tls: ssl.SSLContext | None = None
    immediate_tls: bool = False
    wants_user: bool = False
    refusals: dict[str, str] = field(default_factory=dict)
    """What it replies to a command (`MAIL`, `RCPT`, `DATA`, `.`, `AUTH`, `HELO`) instead."""
    taken: list[Message] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    in_clear: list[str] = field(default_factory=list)
    port: int = 0


class _Talk(socketserver.StreamRequestHandler):
    """One connection."""

    timeout = 30

    def handle(self) -> None:
        self.office: MailServer = self.server.office  # type: ignore[attr-defined]
        self.safe = self.known = False
        try:
            if self.office.immediate_tls:
                self._begin_tls()
            if self._say("HELO", "220 mail.example ESMTP"):
                self._converse()
        except OSError:
            pass  # Whoever talked has left, or would not trust us.

    def _converse(self) -> None:
        while line := self.rfile.readline():
            text = line.decode("ascii").rstrip("\r\n")
            self.office.heard.append(text.partition(" ")[0].upper())
            if not self.safe:
                self.office.in_clear.append(text)
            if not self._answer(text):
                return

    def _answer(self, text: str) -> bool:
        verb = text.partition(" ")[0].upper()
        if verb == "EHLO":
            return self._say(verb, *self._abilities())
        if verb == "STARTTLS":
            self._say(verb, "220 go on")
            self._begin_tls()
            return True
        if verb == "AUTH":
            return self._say(verb, self._admit(text))
        if verb == "MAIL" and self.office.wants_user and not self.known:
            return self._say(verb, "530 5.7.0 Authentication required")
        if verb == "RCPT":
            self.office.recipients.append(text.partition("<")[2].partition(">")[0])
        if verb == "DATA":
            return self._take()
        return self._say(verb, "221 bye" if verb == "QUIT" else "250 ok") and verb != "QUIT"

    def _abilities(self) -> tuple[str, ...]:
        offers = ["mail.example"]
        if self.office.tls and not self.safe:
            offers.append("STARTTLS")
        if self.office.wants_user:
            offers.append("AUTH PLAIN")
        return (*(f"250-{offer}" for offer in offers), "250 SIZE 10000000")

    def _admit(self, text: str) -> str:
        _, user, password = base64.b64decode(text.rsplit(maxsplit=1)[-1]).decode().split("\0")
        self.known = (user, password) == (USER, PASSWORD)
        return "235 ok" if self.known else f"535 5.7.8 wrong: {user} {password}"

    def _take(self) -> bool:
        if "DATA" in self.office.refusals:
            return self._say("DATA", "")
        self._say("DATA", "354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        if self.office.refusals.get(".") in (None, *UNTOLD):
            self.office.taken.append(message_from_bytes(b"".join(lines)))
        return self._say(".", "250 2.0.0 Ok: queued as 4XYZ")

    def _begin_tls(self) -> None:
        assert self.office.tls is not None
        self.connection = self.office.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.safe = True

    def _say(self, verb: str, *replies: str) -> bool:
        """Reply; whether the talk goes on."""
        told = self.office.refusals.get(verb)
        if told == TAKES_AND_FALLS_SILENT:
            self.rfile.read(1)  # Until whoever talks hangs up.
        if told in (DIES, *UNTOLD):
            return False
        lines = replies if told is None else (told,)
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())
        return True


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def at_work(office: MailServer) -> Iterator[MailServer]:
    """The server, listening on a port of its own on loopback."""
    with _Server(("127.0.0.1", 0), _Talk) as server:
        server.office = office  # type: ignore[attr-defined]
        office.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield office
        finally:
            server.shutdown()
            thread.join()


def certificate(folder: Path, begun: timedelta = timedelta(days=1)) -> Path:
    """A certificate for loopback, with its key, in one file; it is its own CA.

    It is good for two days, and was `begun` ago.
    """
    key, begins = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC) - begun
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example")])
    loopback = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=2))
        .add_extension(loopback, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "mail.pem"
    plain = serialization.NoEncryption()
    encoded, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(key.private_bytes(encoded, pkcs8, plain) + signed.public_bytes(encoded))
    return path
