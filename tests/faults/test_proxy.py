"""The proxy itself: each mode is what it says, or the tests of the network prove nothing."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.faults.proxy import Proxy
from tests.servers.premises import LOOPBACK, free_ports, wait_until

SOON = 5.0
A_WHILE = 0.3
"""Seconds in which something that passes would have arrived."""


class Echo:
    """A server that says everything back, and remembers who hung up and how."""

    def __init__(self) -> None:
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port = self._listener.getsockname()[1]
        self.farewells: list[str] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    def _echo(self, connection: socket.socket) -> None:
        try:
            while data := connection.recv(65_536):
                connection.sendall(data)
            self.farewells.append("goodbye")
        except ConnectionResetError:
            self.farewells.append("reset")
        connection.close()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # To close alone would not wake who accepts.
        self._listener.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    with Proxy(LOOPBACK, echo.port) as proxy:
        yield proxy


def call(proxy: Proxy) -> socket.socket:
    client = socket.create_connection((LOOPBACK, proxy.port), timeout=SOON)
    client.settimeout(SOON)
    return client


def said_back(client: socket.socket, text: bytes) -> bytes:
    client.sendall(text)
    return heard(client, len(text))


def heard(client: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        found += client.recv(size - len(found))
    return found


def hears_nothing(client: socket.socket) -> bool:
    client.settimeout(A_WHILE)
    try:
        client.recv(1)
    except TimeoutError:
        return True
    finally:
        client.settimeout(SOON)
    return False


def test_it_passes_both_ways_and_says_goodbye(echo: Echo, proxy: Proxy) -> None:
    client = call(proxy)
    assert said_back(client, b"good day") == b"good day"
    client.shutdown(socket.SHUT_WR)
    assert client.recv(1) == b""
    wait_until(lambda: echo.farewells == ["goodbye"], "the server has heard it", SOON)
    wait_until(lambda: proxy.connections == 0, "the proxy has forgotten it", SOON)


def test_a_reset_is_one_for_both_sides(echo: Echo, proxy: Proxy) -> None:
    client = call(proxy)
    said_back(client, b"good day")
    proxy.reset()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    wait_until(lambda: echo.farewells == ["reset"], "the server has heard it", SOON)
    assert said_back(call(proxy), b"and again") == b"and again"


def test_a_reset_can_go_on(proxy: Proxy) -> None:
    proxy.reset(refuse=True)
    with pytest.raises(ConnectionError):
        call(proxy).recv(1)
    proxy.passing()
    assert said_back(call(proxy), b"and again") == b"and again"


def test_a_black_hole_tells_nobody_and_gives_back_what_it_held(echo: Echo, proxy: Proxy) -> None:
    old = call(proxy)
    said_back(old, b"good day")
    proxy.black_hole()
    old.sendall(b"anybody?")
    new = call(proxy)
    assert hears_nothing(old)
    assert hears_nothing(new)
    assert echo.farewells == []
    proxy.passing()
    assert heard(old, 8) == b"anybody?"
    assert said_back(new, b"good day") == b"good day"


def test_half_open_the_server_has_hung_up_and_the_client_does_not_know(
    echo: Echo, proxy: Proxy
) -> None:
    client = call(proxy)
    said_back(client, b"good day")
    proxy.half_open()
    wait_until(lambda: len(echo.farewells) == 1, "the server has hung up", SOON)
    client.sendall(b"anybody?")
    proxy.passing()
    assert hears_nothing(client)
    assert said_back(call(proxy), b"good day") == b"good day"


def test_a_trickle_takes_its_time(proxy: Proxy) -> None:
    client = call(proxy)
    proxy.trickle(1000)
    began = time.monotonic()
    assert said_back(client, b"x" * 500) == b"x" * 500
    assert time.monotonic() - began > 0.4
    proxy.passing()
    began = time.monotonic()
    said_back(client, b"x" * 50_000)
    assert time.monotonic() - began < 5


def test_latency_comes_in_both_directions(proxy: Proxy) -> None:
    client = call(proxy)
    said_back(client, b"good day")
    proxy.latency(0.2)
    began = time.monotonic()
    said_back(client, b"good day")
    assert time.monotonic() - began >= 0.4


def test_a_server_that_does_not_listen_is_told_by_a_reset() -> None:
    (port,) = free_ports(1)
    with Proxy(LOOPBACK, port) as proxy, pytest.raises(ConnectionError):
        said_back(call(proxy), b"good day")
