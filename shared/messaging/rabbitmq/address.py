"""The broker's address, read: with the files that TLS needs, named as RabbitMQ's clients name them.

`amqps://user:pw@host:5671/vhost?cacertfile=/etc/ssl/our-ca.pem` takes a broker whose certificate
is signed by a CA of one's own; without it the machine's CAs are trusted, or those in the file that
`SSL_CERT_FILE` names. What `certfile` and `keyfile` hold is shown to a broker that asks for it. The
broker's certificate must always be for the host that the address names.
"""

import ssl
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pika  # noqa: TID251 - this package is the one place where AMQP is spoken.

from shared.base.errors import WrongSettings

SETTING = "STAPPENPLAN_BROKER_URL"
CA_FILES = ("cacertfile", "cafile")
CERTIFICATE, KEY = "certfile", "keyfile"
FILES = (*CA_FILES, CERTIFICATE, KEY)


def broker_parameters(url: str) -> pika.URLParameters:
    """What pika needs to know to connect to one address.

    Raises:
        WrongSettings: it cannot be read, or a file that it names cannot.
    """
    parts = urlsplit(url.strip())
    query = parse_qsl(parts.query, keep_blank_values=True)
    files = {name: value for name, value in query if name in FILES}
    rest = urlencode([(name, value) for name, value in query if name not in FILES])
    try:
        parameters = pika.URLParameters(urlunsplit(parts._replace(query=rest)))
    except (ValueError, TypeError, SyntaxError):
        # Its text may have a piece of the password in it.
        raise WrongSettings(
            f"{SETTING} cannot be read: write amqp(s)://user:pw@host:port/vhost, and what is "
            "special in user, password and virtual host as %xx"
        ) from None
    if files:
        if parts.scheme != "amqps":
            raise WrongSettings(f"{SETTING}: {', '.join(files)} is for amqps:// alone")
        parameters.ssl_options = pika.SSLOptions(_context(files))
    return parameters


def _context(files: dict[str, str]) -> ssl.SSLContext:
    own_ca = next((files[name] for name in CA_FILES if name in files), None)
    _require_readable(files)
    try:
        context = ssl.create_default_context(cafile=own_ca)
        if KEY in files or CERTIFICATE in files:
            context.load_cert_chain(files.get(CERTIFICATE, files.get(KEY, "")), files.get(KEY))
    except (ssl.SSLError, OSError) as error:
        raise WrongSettings(
            f"{SETTING}: {', '.join(files)}: no certificate or key in PEM can be read there "
            f"({getattr(error, 'reason', None) or error})"
        ) from None
    return context


def _require_readable(files: dict[str, str]) -> None:
    for name, path in files.items():
        try:
            with open(path, "rb"):
                pass  # That it opens is all that is asked; OpenSSL does not say which file.
        except OSError as error:
            raise WrongSettings(
                f"{SETTING}: the file that {name} names cannot be read: {error.strerror}"
            ) from None
