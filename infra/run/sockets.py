"""The sockets on which a process listens."""

import errno
import socket

from shared.base.errors import StappenplanError

BACKLOG = 256


class CannotRun(StappenplanError):
    """The process cannot start; the text says what to do."""


def listen(host: str, port: int, setting: str) -> socket.socket:
    """A socket that listens there.

    Raises:
        CannotRun: that is not possible; the text names the `setting` to change.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the number of its protocol: by that asyncio knows TCP, and then sets TCP_NODELAY on what
    # it accepts. Without, an answer on a kept connection waits 40 ms for the client's system.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        is_taken = error.errno in (errno.EADDRINUSE, errno.EACCES)
        advice = (
            f"set {setting} to a free port"
            if is_taken
            else "set STAPPENPLAN_HTTP_HOST to an address of this machine"
        )
        raise CannotRun(f"cannot listen on {host}:{port} ({error.strerror}); {advice}") from None
    return listening
