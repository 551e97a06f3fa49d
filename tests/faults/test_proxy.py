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
    # Given a client who is answered
    client = call(proxy)
    assert said_back(client, b"good day") == b"good day"
    # When he says that he has no more to say
    client.shutdown(socket.SHUT_WR)
    # Then the server hears that, hangs up, and the proxy is done with both
    assert client.recv(1) == b""
    wait_until(lambda: echo.farewells == ["goodbye"], "the server has heard it", SOON)
    wait_until(lambda: proxy.connections == 0, "the proxy has forgotten it", SOON)


def test_a_reset_is_one_for_both_sides(echo: Echo, proxy: Proxy) -> None:
    # Given a connection at work
    client = call(proxy)
    said_back(client, b"good day")
    # When it is reset
    proxy.reset()
    # Then both sides hear exactly that, and a new connection works
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    wait_until(lambda: echo.farewells == ["reset"], "the server has heard it", SOON)
    assert said_back(call(proxy), b"and again") == b"and again"


def test_a_reset_can_go_on(proxy: Proxy) -> None:
    # When every new connection is reset too
    proxy.reset(refuse=True)
    # Then none works until that is over
    with pytest.raises(ConnectionError):
        call(proxy).recv(1)
    proxy.passing()
    assert said_back(call(proxy), b"and again") == b"and again"


def test_a_black_hole_tells_nobody_and_gives_back_what_it_held(echo: Echo, proxy: Proxy) -> None:
    # Given an old connection, and one that is made in a black hole
    old = call(proxy)
    said_back(old, b"good day")
    proxy.black_hole()
    new = call(proxy)
    # When somebody speaks
    old.sendall(b"anybody?")
    # Then nobody hears anything, not even that the other is gone
    assert hears_nothing(old)
    assert hears_nothing(new)
    assert echo.farewells == []
    # And afterwards both work, and what was said arrives
    proxy.passing()
    assert heard(old, 8) == b"anybody?"
    assert said_back(new, b"good day") == b"good day"


def test_half_open_the_server_has_hung_up_and_the_client_does_not_know(
    echo: Echo, proxy: Proxy
) -> None:
    # Given a connection at work
    client = call(proxy)
    said_back(client, b"good day")
    # When it is half open
    proxy.half_open()
    # Then the server is gone, and the client is never told, whatever he says
    wait_until(lambda: len(echo.farewells) == 1, "the server has hung up", SOON)
    client.sendall(b"anybody?")
    proxy.passing()
    assert hears_nothing(client)
    # And a new connection works
    assert said_back(call(proxy), b"good day") == b"good day"


def test_a_trickle_takes_its_time(proxy: Proxy) -> None:
    # Given a network that lets a thousand bytes a second through
    client = call(proxy)
    proxy.trickle(1000)
    # When half as many are sent
    began = time.monotonic()
    assert said_back(client, b"x" * 500) == b"x" * 500
    # Then that takes its time, and no longer once all passes again
    assert time.monotonic() - began > 0.4
    proxy.passing()
    assert said_back(client, b"x" * 50_000) == b"x" * 50_000


def test_latency_comes_in_both_directions(proxy: Proxy) -> None:
    # Given a network with a latency
    client = call(proxy)
    said_back(client, b"good day")
    proxy.latency(0.2)
    # When something is said and answered
    began = time.monotonic()
    said_back(client, b"good day")
    # Then that takes the latency twice
    assert time.monotonic() - began >= 0.4


def test_a_server_that_does_not_listen_is_told_by_a_reset() -> None:
    # Given a proxy to a port where nobody listens
    (port,) = free_ports(1)
    # When a client calls, Then he is turned away
    with Proxy(LOOPBACK, port) as proxy, pytest.raises(ConnectionError):
        said_back(call(proxy), b"good day")
