"""uvicorn, which serves all requests of a process, on a thread of its own."""

import asyncio
import socket
import threading
from contextlib import suppress
from typing import Any

import uvicorn

from infra.run.http_protocol import ServerConfig, most_connections
from infra.run.log_limits import limit_logs
from shared.base.internals import require_internals

STARTING = 10.0
"""Seconds that `start` gives it; it needs a hundredth of one."""

TICK = 1.0
"""Seconds between two renewals of the `Date` header, which counts in seconds."""


require_internals(
    f"uvicorn {uvicorn.__version__}",
    uvicorn.Server,
    members=("main_loop", "on_tick"),
    attributes=("main_loop", "should_exit"),
)


class HttpServer:
    """Answers requests from `start` until `stop`, which lets those in hand end."""

    def __init__(self, app: Any, listening: socket.socket, most: int | None = None) -> None:
        """`most` connections at a time; by default as many as leave descriptors for the rest."""
        limit_logs()
        config = ServerConfig(
            app,
            most=most or most_connections(),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=5,
            lifespan="off",
        )
        self._server = _Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listening]}, name="http", daemon=True
        )

    def start(self) -> None:
        """Returns when requests are answered."""
        self._thread.start()
        self._server.answers.wait(STARTING)

    def stop(self, patience: float) -> None:
        """Answer no more requests; those in hand have `patience` seconds to end."""
        self._server.leave()
        self._thread.join(patience)


class _Server(uvicorn.Server):
    """uvicorn, told to end instead of asking ten times a second whether it should."""

    _loop: asyncio.AbstractEventLoop | None = None
    _leaving: asyncio.Event

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = threading.Event()

    async def main_loop(self) -> None:
        self.answers.set()
        self._leaving = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        # In its first and each tenth tick uvicorn renews the `Date` header.
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), TICK)

    def leave(self) -> None:
        """End, from whichever thread this is called."""
        self.should_exit = True
        loop = self._loop
        if loop is not None:
            # A loop that has ended by itself needs no telling.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._leaving.set)
