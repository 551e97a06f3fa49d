"""Clients who keep the server waiting, and more of them than there is room for."""

import asyncio
import logging
import resource
import socket
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from fastapi import FastAPI, Request
from structlog.testing import capture_logs

from infra.run import http_protocol
from infra.run.http_protocol import Wait, most_connections
from infra.run.http_server import HttpServer
from infra.run.log_limits import OnceASecond
from infra.run.sockets import CannotRun, listen
from tests.servers.premises import wait_until

SOON = 0.3
BOUND = 20.0
"""Seconds after which a test gives up: far more than anything here takes."""
HALF_A_BODY = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf"
ENDLESS = 64 * 1024 * 1024

Connect = Callable[..., socket.socket]


def app() -> FastAPI:
    """Answers what it is sent, or more than a socket holds."""
    app = FastAPI()

    @app.post("/echo")
    async def echo(request: Request) -> int:
        return len(await request.body())

    @app.get("/much")
    async def much() -> str:
        return "x" * ENDLESS

    return app


@pytest.fixture
def deadlines(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets the deadlines: soon for what is named, never for the rest."""

    def set_soon(*waits: Wait) -> None:
        for wait in http_protocol.DEADLINES:
            seconds = SOON if wait in waits else 600.0
            monkeypatch.setitem(http_protocol.DEADLINES, wait, seconds)

    return set_soon


@pytest.fixture
def serve() -> Iterator[Callable[..., int]]:
    """Starts a server; its port."""
    servers: list[tuple[HttpServer, socket.socket]] = []

    def start(most: int | None = None) -> int:
        listening = listen("127.0.0.1", 0, "HTTP_PORT")
        server = HttpServer(app(), listening, most)
        servers.append((server, listening))
        server.start()
        return int(listening.getsockname()[1])

    yield start
    for server, listening in servers:
        server.stop(30.0)
        listening.close()


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Connects, and sends something."""
    clients: list[socket.socket] = []

    def to(port: int, data: bytes = b"") -> socket.socket:
        client = socket.create_connection(("127.0.0.1", port), timeout=BOUND)
        clients.append(client)
        client.sendall(data)
        return client

    yield to
    for client in clients:
        client.close()


def read_to_the_end(client: socket.socket) -> bytes:
    """All that comes until the other side hangs up."""
    answer = b""
    try:
        while data := client.recv(65536):
            answer += data
    except ConnectionResetError:
        pass
    return answer


@pytest.mark.parametrize(
    ("wait", "data", "answer"),
    [
        (Wait.FIRST_BYTE, b"", b""),
        (Wait.HEADERS, b"GET / HTTP/1.1\r\nHost:", b"HTTP/1.1 408 "),
        (Wait.BODY, HALF_A_BODY, b"HTTP/1.1 408 "),
    ],
)
def test_whoever_keeps_the_server_waiting_is_hung_up_on(
    deadlines: Callable[..., None],
    serve: Callable[..., int],
    connect: Connect,
    wait: Wait,
    data: bytes,
    answer: bytes,
) -> None:
    # Given a deadline for this wait alone, When a client goes no further,
    deadlines(wait)
    client = connect(serve(), data)
    # Then the connection ends.
    assert read_to_the_end(client).startswith(answer)


def test_a_large_body_has_longer_to_come(
    deadlines: Callable[..., None],
    serve: Callable[..., int],
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given a scan that was announced over a slow line, and a small form that goes no further
    deadlines(Wait.BODY)
    monkeypatch.setattr(http_protocol, "LEAST_RATE", 10_000)
    port, scan = serve(), b"x" * 1_000_000
    large = connect(port, b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
    # When the small one's time is over, Then the scan may still come.
    assert read_to_the_end(connect(port, HALF_A_BODY)).startswith(b"HTTP/1.1 408 ")
    large.sendall(scan)
    assert large.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_a_byte_once_in_a_while_does_not_put_the_deadline_off(
    deadlines: Callable[..., None], serve: Callable[..., int], connect: Connect
) -> None:
    # Given a client who sends a header byte by byte,
    deadlines(Wait.HEADERS)
    client = connect(serve(), b"GET / HTTP/1.1\r\nX: ")
    client.settimeout(SOON / 10)
    began, answer = time.monotonic(), b""
    # When they go on for ever, Then they are hung up on all the same.
    while not answer and time.monotonic() < began + BOUND:
        try:
            client.sendall(b"x")
            answer = client.recv(100)
        except TimeoutError:
            continue
        except OSError:
            break
    assert time.monotonic() < began + BOUND


def test_whoever_does_not_read_their_answer_is_hung_up_on(
    deadlines: Callable[..., None], serve: Callable[..., int], connect: Connect
) -> None:
    # Given a client who asks for much,
    deadlines(Wait.READING)
    with capture_logs() as lines:
        client = connect(serve(), b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
        # When they read nothing, Then the connection ends before all is sent.
        wait_until(lambda: bool(lines), "it ended", BOUND)
    assert lines[0]["late_reading"] == 1
    assert len(read_to_the_end(client)) < ENDLESS


def test_an_idle_connection_is_hung_up_on_and_one_that_is_used_is_kept(
    deadlines: Callable[..., None], serve: Callable[..., int]
) -> None:
    # Given short deadlines for everything, When a client asks again and again,
    deadlines(*Wait)
    address = f"http://127.0.0.1:{serve()}"
    with httpx.Client(base_url=address, timeout=BOUND) as client:
        ended = time.monotonic() + 3 * SOON
        while time.monotonic() < ended:
            # Then they are answered, whole bodies too.
            assert client.post("/echo", content=b"x" * 500_000).json() == 500_000


def test_many_who_wait_make_room_for_who_has_something_to_ask(
    deadlines: Callable[..., None], serve: Callable[..., int], connect: Connect
) -> None:
    # Given a server that is full of clients who say nothing,
    deadlines()
    port = serve(8)
    silent = [connect(port) for _ in range(8)]
    # When somebody asks, Then they are answered; whoever waited longest made room.
    answer = httpx.post(f"http://127.0.0.1:{port}/echo", content=b"abc", timeout=BOUND)
    assert answer.json() == 3
    assert read_to_the_end(silent[0]).startswith(b"HTTP/1.1 503 ")


def test_a_flood_leaves_a_line_a_second(
    deadlines: Callable[..., None],
    serve: Callable[..., int],
    connect: Connect,
    capfd: pytest.CaptureFixture[str],
) -> None:
    # Given a server with little room,
    deadlines()
    port = serve(8)
    began = time.monotonic()
    # When many more come, some of them with nonsense,
    with capture_logs() as lines:
        for number in range(400):
            connect(port, b"nonsense\r\n\r\n" if number % 2 else b"").close()
        assert httpx.get(f"http://127.0.0.1:{port}/", timeout=BOUND).status_code == 404
    # Then what is logged of it are a few lines.
    seconds = time.monotonic() - began
    assert len(lines) <= seconds + 2
    assert len(capfd.readouterr().err.splitlines()) <= 2 * (seconds + 2)


def test_one_text_is_written_once_a_second_with_how_many_were_left_out() -> None:
    # Given a clock, and lines that come at these moments,
    moments = iter([0.0, 0.1, 0.9, 1.1, 1.2])
    limit = OnceASecond(lambda: next(moments))
    records = [
        logging.LogRecord("x", logging.WARNING, "", 0, text, None, None)
        for text in ("bad", "bad", "bad", "bad", "worse")
    ]
    # When they are looked at, Then one a second is written, and one of another text.
    assert [limit.filter(record) for record in records] == [True, False, False, True, True]
    assert records[3].getMessage() == "bad (and 2 more like it)"


@pytest.mark.parametrize(
    ("descriptors", "connections"),
    [(1024, 640), (256, 64), (1_000_000, 1000), (resource.RLIM_INFINITY, 1000)],
)
def test_there_are_fewer_connections_than_descriptors(
    monkeypatch: pytest.MonkeyPatch, descriptors: int, connections: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (descriptors, descriptors))
    assert most_connections() == connections


def test_an_answer_does_not_wait_for_the_clients_system() -> None:
    host = "127.0.0.1"
    # Given the socket of a server, When asyncio accepts a connection on it,
    listening = listen(host, 0, "HTTP_PORT")

    async def accept() -> int:
        options: asyncio.Queue[int] = asyncio.Queue()

        def look(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted = writer.get_extra_info("socket")
            options.put_nowait(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(look, sock=listening):
            _, writer = await asyncio.open_connection(host, listening.getsockname()[1])
            option = await asyncio.wait_for(options.get(), BOUND)
            writer.close()
            return option

    # Then what is written on it is sent at once.
    assert asyncio.run(accept()) != 0


def test_a_port_that_is_taken_is_named_with_its_setting() -> None:
    with (
        listen("127.0.0.1", 0, "HTTP_PORT") as taken,
        pytest.raises(CannotRun, match="STAPPENPLAN_HEALTH_PORT"),
    ):
        listen("127.0.0.1", taken.getsockname()[1], "STAPPENPLAN_HEALTH_PORT")
