"""A TCP proxy on loopback that behaves as badly as networks do.

What it does can be changed at any moment, and holds for the connections that are there and for
those that come. No mode but `reset` ends a connection that a client holds.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

from tests.servers.premises import LOOPBACK

AT_ONCE = 65_536
SLICES = 10
"""A trickle is this many small gulps a second."""
RESET_AT_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER of no seconds: closing sends RST, where there would be FIN."""

T = TypeVar("T")


@dataclass(eq=False)
class _Pair:
    """A client's connection and the one made for it to the server."""

    client: socket.socket
    server: socket.socket | None = None
    pumps: tuple["asyncio.Task[None]", ...] = ()


class Proxy:
    """Stands between a client and a server. A context manager; all methods from any thread."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._listener = socket.create_server((LOOPBACK, 0))
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._pairs: set[_Pair] = set()
        self._flowing = asyncio.Event()
        self._refusing = False
        self._delay = 0.0
        self._bytes_per_second: int | None = None
        self.accepted = 0
        """How many clients have connected so far."""

    def __enter__(self) -> "Proxy":
        self._thread.start()
        self._do(self._flowing.set)
        self._loop.call_soon_threadsafe(self._loop.create_task, self._accept())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._do(self._end)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def connections(self) -> int:
        """How many clients hold a connection now."""
        return len(self._pairs)

    # What the network does.

    def passing(self) -> None:
        """Pass everything on at once; what was held up in a black hole arrives late."""
        self._become()

    def latency(self, seconds: float) -> None:
        """Let everything arrive so much later, in each direction."""
        self._become(delay=seconds)

    def trickle(self, bytes_per_second: int) -> None:
        """Let through no more than this, in each direction of each connection."""
        self._become(bytes_per_second=bytes_per_second)

    def black_hole(self) -> None:
        """Pass nothing on, and tell neither side: new connections are taken, and hear nothing."""
        self._become(flowing=False)

    def half_open(self) -> None:
        """Like a black hole, but the server is told that its clients are gone; they are not.

        Connections of then never work again; those made after `passing` do.
        """
        self._become(flowing=False)
        self._do(self._drop_servers)

    def reset(self, *, refuse: bool = False) -> None:
        """Break every connection off with RST; with `refuse`, each new one too until `passing`."""
        self._become(refusing=refuse)
        self._do(self._break_all_off)

    # On the thread of the loop.

    def _break_all_off(self) -> None:
        for pair in list(self._pairs):
            self._break_off(pair)

    def _become(
        self,
        *,
        flowing: bool = True,
        refusing: bool = False,
        delay: float = 0.0,
        bytes_per_second: int | None = None,
    ) -> None:
        def change() -> None:
            self._refusing, self._delay = refusing, delay
            self._bytes_per_second = bytes_per_second
            (self._flowing.set if flowing else self._flowing.clear)()

        self._do(change)

    def _do(self, work: Callable[[], T]) -> T:
        async def done() -> T:
            return work()

        return self._run(done())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _accept(self) -> None:
        with contextlib.suppress(OSError):  # The listener is closed at the end.
            while True:
                client, _ = await self._loop.sock_accept(self._listener)
                self.accepted += 1
                pair = _Pair(client)
                self._pairs.add(pair)
                if self._refusing:
                    self._break_off(pair)
                else:
                    self._loop.create_task(self._serve(pair))

    async def _serve(self, pair: _Pair) -> None:
        await self._flowing.wait()
        if pair not in self._pairs:
            return
        pair.server = socket.socket()
        pair.server.setblocking(False)
        try:
            await self._loop.sock_connect(pair.server, self._target)
        except OSError:
            self._break_off(pair)  # Nobody listens there.
            return
        for side in (pair.client, pair.server):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair.pumps = (
            self._loop.create_task(self._pump(pair.client, pair.server)),
            self._loop.create_task(self._pump(pair.server, pair.client)),
        )
        try:
            await asyncio.gather(*pair.pumps)
        except OSError:
            self._break_off(pair)
        except asyncio.CancelledError:
            return  # The pair is somebody else's to close.
        self._close(pair)

    async def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        while True:
            await self._flowing.wait()
            data = await self._loop.sock_recv(source, AT_ONCE)
            await self._flowing.wait()
            if self._delay:
                await asyncio.sleep(self._delay)
            if not data:
                sink.shutdown(socket.SHUT_WR)
                return
            while data:
                data = await self._pass_on(data, sink)

    async def _pass_on(self, data: bytes, sink: socket.socket) -> bytes:
        """Send as much as may go now; returns the rest."""
        await self._flowing.wait()
        rate = self._bytes_per_second
        gulp = max(1, rate // SLICES) if rate else AT_ONCE
        await self._loop.sock_sendall(sink, data[:gulp])
        if rate:
            await asyncio.sleep(gulp / rate)
        return data[gulp:]

    def _drop_servers(self) -> None:
        for pair in self._pairs:
            for pump in pair.pumps:
                pump.cancel()
            if pair.server is not None:
                pair.server.close()
                pair.server = None

    def _break_off(self, pair: _Pair) -> None:
        pair.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        if pair.server is not None and pair.server.fileno() >= 0:
            pair.server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        self._close(pair)

    def _close(self, pair: _Pair) -> None:
        self._pairs.discard(pair)
        for pump in pair.pumps:
            pump.cancel()
        pair.client.close()
        if pair.server is not None:
            pair.server.close()

    def _end(self) -> None:
        self._listener.close()
        for pair in list(self._pairs):
            self._break_off(pair)
        for task in asyncio.all_tasks(self._loop):
            if task is not asyncio.current_task(self._loop):
                task.cancel()
