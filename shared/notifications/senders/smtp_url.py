"""The address of a mail server, as it is set: `smtp://user:password@host:587`, or `smtps://…`."""

from dataclasses import dataclass, field
from urllib.parse import parse_qs

from shared.base.addresses import NotAnAddress, read_address

STARTTLS_PORT, TLS_PORT, PLAIN_PORT = 587, 465, 25
FORM = (
    "write it as smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465, "
    "with %40 for an @ in the password; ?starttls=no only where the way to the server is safe"
)


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A mail server: where it is, how the way to it is kept safe, and who we are to it."""

    host: str
    port: int
    tls: bool
    starttls: bool
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """How people may be told of it: without user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'smtps' if self.tls else 'smtp'}://{host}:{self.port}"


def read_smtp_url(url: str) -> SmtpServer:
    """The mail server that an address names.

    Raises:
        ValueError: it is no such address; the sentence holds nothing of it, since it may hold a
            password.
    """
    address = read_address(url, ("smtp", "smtps"), FORM)
    try:
        options = parse_qs(
            address.query, keep_blank_values=True, strict_parsing=bool(address.query)
        )
    except ValueError:
        raise NotAnAddress(
            f"the options of the mail server's address cannot be read: {FORM}"
        ) from None
    if not address.host or "," in address.host or address.path not in ("", "/"):
        raise NotAnAddress(f"this is no address of a mail server: {FORM}")
    if bool(address.user) != (address.password is not None):
        raise NotAnAddress(f"user and password of the mail server cannot be told apart: {FORM}")
    tls = address.scheme == "smtps"
    starttls = _starttls(options, tls=tls)
    usual = TLS_PORT if tls else STARTTLS_PORT if starttls else PLAIN_PORT
    user, password = address.user, address.password or ""
    if not (user + password).isascii():
        raise ValueError(
            "user and password of the mail server must be ASCII (RFC 4616 and smtplib)"
        )
    return SmtpServer(address.host, address.port or usual, tls, starttls, user, password)


def _starttls(options: dict[str, list[str]], *, tls: bool) -> bool:
    """Whether the connection is made safe after it was begun: unless told otherwise."""
    words = options.pop("starttls", ["no" if tls else "yes"])
    if options or words not in (["yes"], ["no"]) or (tls and words == ["yes"]):
        raise ValueError(f"the options of the mail server's address are not known: {FORM}")
    return words == ["yes"]
