"""HTTP connections with an end to every wait for a client, and no more of them than fit.

uvicorn itself waits for ever for a first byte, for the rest of a header or a body, and for a
client who does not read its answer. Here each wait has a deadline; where there is no room for a
new connection, whoever keeps us waiting longest makes room.
"""

import asyncio
import resource
from collections import Counter
from enum import Enum
from typing import Any, cast

import h11
import structlog
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from shared.base.internals import require_internals
from shared.web.strict_json import MAX_UPLOAD_BYTES

log = structlog.get_logger()

MOST_CONNECTIONS = 1000
OTHER_DESCRIPTORS = 384
"""Kept free for databases, brokers, files, and those who are accepted only to be sent away."""
FEWEST_CONNECTIONS = 64
LOG_EVERY = 1.0
"""Seconds that one line about connections tells of."""

require_internals(
    f"uvicorn {uvicorn.__version__}",
    H11Protocol,
    members=(
        *("connection_made", "connection_lost", "data_received", "on_response_complete"),
        *("pause_writing", "resume_writing"),
    ),
    attributes=("conn", "connections", "cycle", "transport", "loop", "config", "headers"),
)


class Wait(Enum):
    """What a client keeps us waiting for."""

    FIRST_BYTE = "first_byte"
    HEADERS = "headers"
    BODY = "body"
    READING = "reading"
    """That they read their answer."""
    NEXT_REQUEST = "next_request"
    """uvicorn itself ends this wait, after `timeout_keep_alive`."""


DEADLINES = {Wait.FIRST_BYTE: 10.0, Wait.HEADERS: 10.0, Wait.BODY: 30.0, Wait.READING: 30.0}
"""Seconds for each; they are not put off by a byte that comes once in a while."""

LEAST_RATE = 64 * 1024
"""Bytes a second that a large body must come with at least: a scan over a slow line takes long."""

TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
NO_ROOM = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 2\r\n"
    b"Content-Length: 0\r\n\r\n"
)


def most_connections() -> int:
    """So many connections leave this process descriptors for everything else."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(FEWEST_CONNECTIONS, min(MOST_CONNECTIONS, soft - OTHER_DESCRIPTORS))


class Connections:
    """The connections of one server: who keeps it waiting, and how many there may be."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.waiting: dict[BoundedProtocol, None] = {}
        """The one that has kept us waiting longest first."""
        self._ended: Counter[str] = Counter()
        self._quiet = False

    def make_room(self) -> bool:
        """End the longest wait; whether there was one."""
        if not self.waiting:
            return False
        longest = next(iter(self.waiting))
        longest.end("made_room", NO_ROOM)
        return True

    def note(self, reason: str) -> None:
        """Log that a connection was ended: one line a second, however many they are."""
        self._ended[reason] += 1
        if not self._quiet:
            self._tell()

    def _tell(self) -> None:
        self._quiet = bool(self._ended)
        if self._quiet:
            log.warning("connections_ended", **self._ended)
            self._ended.clear()
            asyncio.get_running_loop().call_later(LOG_EVERY, self._tell)


class ServerConfig(uvicorn.Config):
    """uvicorn's settings, and the connections of the server that has them."""

    def __init__(self, app: Any, *, most: int, **settings: Any) -> None:
        super().__init__(app, http=BoundedProtocol, ws="none", **settings)
        self.bounded = Connections(most)


class BoundedProtocol(H11Protocol):
    """One connection, with deadlines."""

    _wait: Wait | None = None
    _deadline: asyncio.TimerHandle | None = None
    _is_writing_paused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take it, make room for it, or send it away."""
        self._bounded = cast(ServerConfig, self.config).bounded
        is_full = len(self.connections) >= self._bounded.most
        super().connection_made(transport)
        if is_full and not self._bounded.make_room():
            self.end("refused", NO_ROOM)
        else:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over, and nobody waits any more."""
        super().connection_lost(exc)
        self._wait_for(None)

    def data_received(self, data: bytes) -> None:
        """Go on with it."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """The answer is written; another request may follow."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """The client does not read what they asked for."""
        super().pause_writing()
        self._is_writing_paused = True
        self._watch()

    def resume_writing(self) -> None:
        """They do again."""
        super().resume_writing()
        self._is_writing_paused = False
        self._watch()

    def end(self, reason: str, answer: bytes = b"") -> None:
        """Hang up, with an answer where none has begun."""
        self._wait_for(None)
        self._bounded.note(reason)
        if self.transport.is_closing():
            return
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.write(answer)
        self.transport.close()
        if self.transport.get_write_buffer_size():
            self.transport.abort()

    def _watch(self) -> None:
        self._wait_for(None if self.transport.is_closing() else self._waits_for())

    def _waits_for(self) -> Wait | None:
        if self._is_writing_paused:
            return Wait.READING
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            return Wait.BODY
        if state is not h11.IDLE:
            return None  # It is our turn.
        data, _ = self.conn.trailing_data
        if data:
            return Wait.HEADERS
        return Wait.FIRST_BYTE if self.cycle is None else Wait.NEXT_REQUEST

    def _wait_for(self, wait: Wait | None) -> None:
        if wait is self._wait:
            return
        self._wait = wait
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._bounded.waiting.pop(self, None)
        if wait is None:
            return
        self._bounded.waiting[self] = None
        if wait in DEADLINES:
            answer = TIMEOUT if wait in (Wait.HEADERS, Wait.BODY) else b""
            seconds = DEADLINES[wait] + (self._body_seconds() if wait is Wait.BODY else 0.0)
            self._deadline = self.loop.call_later(seconds, self.end, f"late_{wait.value}", answer)

    def _body_seconds(self) -> float:
        """How much longer the body may take that was announced, as far as one is taken at all."""
        lengths = [value for name, value in self.headers if name == b"content-length"]
        announced = int(lengths[0]) if lengths and lengths[0].isdigit() else 0
        return min(announced, MAX_UPLOAD_BYTES) / LEAST_RATE
