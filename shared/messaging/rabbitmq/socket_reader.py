"""Reading a connection's socket or leaving it be, which pika has no words for.

What is left in a socket fills it, and then its sender waits: that is how TCP says "not now".
"""

from collections.abc import Callable
from typing import Any, cast

import pika  # noqa: TID251 - this package is the one place where AMQP is spoken.
from pika.adapters.utils import io_services_utils  # noqa: TID251 - AMQP is spoken here.

from shared.messaging.rabbitmq.pika_internals import require_transport_internals

require_transport_internals(io_services_utils, pika.__version__)


def stop(transport: Any) -> None:
    """Read no more of this transport's socket."""
    # An encrypted one also calls itself, for what was decrypted already.
    transport._on_socket_readable = lambda: None
    transport._nbio.remove_reader(transport._sock.fileno())


def start(transport: Any) -> Callable[[], None]:
    """Read it again; returns what to call for what came meanwhile, which wakes nobody."""
    del transport._on_socket_readable
    read = cast(Callable[[], None], transport._on_socket_readable)
    transport._nbio.set_reader(transport._sock.fileno(), read)
    return read
