"""Why a broker cannot be used, in a sentence that says what to do.

No sentence names a user, a host or a virtual host: anybody may read some of them (`/readyz`).
"""

import socket
import ssl
from collections.abc import Callable, Iterator

from pika import exceptions  # noqa: TID251 - this package is the one place where AMQP is spoken.
from pika.adapters.utils.connection_workflow import (  # noqa: TID251 - AMQP is spoken here.
    AMQPConnectorStackTimeout,
)

from shared.messaging.bus import ALARM

REFUSED, NOT_ALLOWED, NOT_FOUND, LOCKED, CLOSING = 403, 530, 404, 405, 320

NO_TLS = "it does not speak TLS on this port: amqps:// is for its TLS port, mostly 5671; or write amqp://"
NOT_PLAIN = (
    "it hung up before it said anything: it may just be starting, or this is its TLS port (then "
    "write amqps://)"
)
CERTIFICATE = "its certificate is not accepted"
UNTRUSTED = (
    f"{CERTIFICATE}, for no CA that is known here signed it: name the file of your own CA by "
    "?cacertfile=… in the broker's address, or in SSL_CERT_FILE"
)
OTHER_HOST = f"{CERTIFICATE}: it is for another host name than the broker's address has"
EXPIRED = f"{CERTIFICATE}: it has expired, or is not valid yet; renew it, and look at the clocks"
WANTS_CERTIFICATE = (
    "it does not accept our side of TLS: where it asks for a certificate, name yours by "
    "?certfile=…&keyfile=… in the broker's address"
)
_BY_VERIFY_CODE = {9: EXPIRED, 10: EXPIRED, 62: OTHER_HOST, 64: OTHER_HOST} | dict.fromkeys(
    (2, 18, 19, 20, 21), UNTRUSTED
)
"""OpenSSL's X509_V_ERR_…"""


def explain(error: BaseException) -> str:
    """The sentence for what pika raised or reported, or what the broker said itself."""
    causes = [*_causes(error)]
    for kind, sentence in _SENTENCES:
        for cause in causes:
            if isinstance(cause, kind):
                return sentence(cause) if callable(sentence) else sentence
    return f"it cannot be used ({type(causes[-1]).__name__})"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps: pika puts each in others, and the innermost one says why."""
    yield error
    more = [*error.args, getattr(error, "exception", None), *getattr(error, "exceptions", ())]
    for cause in more:
        if isinstance(cause, BaseException):
            yield from _causes(cause)


def innermost(error: BaseException) -> BaseException:
    """What is wrapped by all the others."""
    return [*_causes(error)][-1]


def _verification(error: BaseException) -> str:
    code = getattr(error, "verify_code", 0)
    return _BY_VERIFY_CODE.get(code, f"{CERTIFICATE} ({getattr(error, 'verify_message', '')})")


def _tls(error: BaseException) -> str:
    reason = getattr(error, "reason", None) or ""
    return WANTS_CERTIFICATE if "ALERT" in reason else NO_TLS


def _no_access(error: BaseException) -> str:
    if "limit" in str(error):
        return (
            "it takes no more connections: a limit on them is reached (see `rabbitmqctl "
            "list_vhost_limits` and `list_user_limits`)"
        )
    return "its virtual host is not there, or the user may not use it"


def _closed(error: BaseException) -> str:
    code = getattr(error, "reply_code", 0)
    if code == NOT_ALLOWED:
        return _no_access(error)
    if code == CLOSING:
        return "it is being stopped, or somebody closed the connection"
    return _BY_REPLY_CODE.get(code, f"it closed the connection (code {code})")


_BY_REPLY_CODE = {
    REFUSED: "it does not let the user do what is needed there: a permission was taken away or "
    "never given; `stappenplan topology apply` gives them",
    NOT_FOUND: "a queue or an exchange of ours is not there: `stappenplan topology apply` makes it",
    LOCKED: "somebody else keeps the queue for themselves alone",
}

Sentence = str | Callable[[BaseException], str]

_SENTENCES: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Sentence], ...] = (
    (ssl.SSLCertVerificationError, _verification),
    (ssl.SSLEOFError, WANTS_CERTIFICATE),
    (ssl.SSLError, _tls),
    (socket.gaierror, "its host name is not known"),
    (ConnectionRefusedError, "nothing listens at its address and port"),
    (exceptions.ProbableAuthenticationError, "it refuses the user or the password"),
    (exceptions.AuthenticationError, "it refuses the user or the password"),
    (exceptions.ProbableAccessDeniedError, _no_access),
    (exceptions.IncompatibleProtocolError, NOT_PLAIN),
    ((exceptions.ConnectionClosedByBroker, exceptions.ChannelClosedByBroker), _closed),
    (exceptions.ConnectionBlockedTimeout, ALARM),
    ((TimeoutError, AMQPConnectorStackTimeout), "it does not answer in time"),
    (exceptions.AMQPHeartbeatTimeout, "it has fallen silent"),
    (OSError, "the connection broke off"),
    (exceptions.StreamLostError, "the connection broke off"),
)
