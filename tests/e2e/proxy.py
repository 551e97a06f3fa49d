"""One address before four processes: a reverse proxy that routes by path alone, as nginx does.

Which path is whose is read from the services' own routes (`routing_table`), so a page that moves
or is added needs no line here; a proxy for production can be written from the same table.
"""

import http.client
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import accumulate
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from infra.composition import service_names
from infra.run.routers import service_routers
from infra.run.runtimes import BusFactory, build_runtimes
from shared.host.settings import Settings
from tests.servers.premises import LOOPBACK

HOP_BY_HOP = frozenset({"connection", "keep-alive", "te", "transfer-encoding", "upgrade"})
"""Headers of one connection, which the next one has its own of (RFC 9110, 7.6.1)."""

FRONT = "/"
"""Where everything goes that no service has for itself: the work list, and what all answer."""

AT_ONCE = 65_536
UPSTREAM_SECONDS = 60.0


def routing_table(folder: Path) -> dict[str, str]:
    """The service behind each prefix of a path; the longest prefix that fits is the one.

    `folder` is somewhere to put what a service keeps; nothing is started or connected.

    Raises:
        ValueError: two services have the same page.
    """
    paths = {name: _paths_of(name, folder) for name in service_names()}
    owners: dict[str, set[str]] = {}
    for name, its_paths in paths.items():
        for path in its_paths:
            for prefix in _prefixes(path):
                owners.setdefault(prefix, set()).add(name)
    table = {FRONT: _owner_of_front(paths)}
    for name, its_paths in paths.items():
        for path in its_paths - {FRONT}:
            prefix = _shortest_of_its_own(path, owners)
            if table.setdefault(prefix, name) != name:
                raise ValueError(f"{prefix} is a page of {table[prefix]} and of {name}")
    return table


def _paths_of(name: str, folder: Path) -> set[str]:
    """The paths of a service's own routes, up to what stands in braces."""
    settings = Settings(
        data_dir=folder,
        broker_url=f"amqp://{LOOPBACK}:1/",
        database_url=f"sqlite:///{folder}/{{service}}.db",
    )
    (runtime,) = build_runtimes(settings, BusFactory(settings), [name])
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    for router in service_routers([runtime]):
        app.include_router(router)
    routes = (route.path for route in iter_route_contexts(app.routes))
    named = (path.replace("{service}", name) for path in routes if path)
    return {path.partition("/{")[0] or FRONT for path in named}


def _prefixes(path: str) -> Iterable[str]:
    """`/api/orders` begins with `/api` and with `/api/orders`."""
    return accumulate(f"/{part}" for part in path.strip("/").split("/"))


def _shortest_of_its_own(path: str, owners: Mapping[str, set[str]]) -> str:
    """The first prefix below which nothing is anybody else's; the path itself where there is none.

    A page above those of other services stays its owner's: the longest prefix counts.
    """
    own = (prefix for prefix in _prefixes(path) if len(owners[prefix]) == 1)
    return next(own, path)


def _owner_of_front(paths: Mapping[str, set[str]]) -> str:
    (owner,) = (name for name, its_paths in paths.items() if FRONT in its_paths)
    return owner


class ReverseProxy:
    """Hands each request to the service that its path belongs to, and the answer back as it comes.

    What a service streams is passed on piece by piece, unbuffered, so that open pages hear of
    changes at once. Cookies, `Host` and every other header of ours stay as they are.
    """

    def __init__(self, port: int, table: Mapping[str, str], upstreams: Mapping[str, str]) -> None:
        self._table, self._upstreams = table, upstreams
        self._server = _Server((LOOPBACK, port), _Exchange)
        self._server.proxy = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def upstream_of(self, path: str) -> str:
        """Host and port of the service that a path belongs to."""
        prefixes = [FRONT, *_prefixes(path)]
        owner = next(self._table[prefix] for prefix in reversed(prefixes) if prefix in self._table)
        return urlsplit(self._upstreams[owner]).netloc

    def start(self) -> None:
        """Take requests from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more; answers that are streamed end with their service."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def reverse_proxy(
    port: int, table: Mapping[str, str], upstreams: Mapping[str, str]
) -> Iterator[ReverseProxy]:
    """A proxy at work on this port."""
    proxy = ReverseProxy(port, table, upstreams)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # An open page would hold it up for minutes.
    request_queue_size = 128
    proxy: ReverseProxy

    def handle_error(self, request: object, client_address: object) -> None:
        """Browsers leave in the middle of a sentence."""


class _Exchange(BaseHTTPRequestHandler):
    """One connection of a browser."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _pass_on(self) -> None:
        path = urlsplit(self.path).path
        upstream = http.client.HTTPConnection(
            self.server.proxy.upstream_of(path), timeout=UPSTREAM_SECONDS
        )
        try:
            self._ask(upstream)
            self._answer(upstream.getresponse())
        except ConnectionError:
            self.close_connection = True
        finally:
            upstream.close()

    def _ask(self, upstream: http.client.HTTPConnection) -> None:
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in HOP_BY_HOP:
                upstream.putheader(name, value)
        upstream.putheader("X-Forwarded-For", self.client_address[0])
        upstream.putheader("X-Forwarded-Proto", "http")
        upstream.endheaders(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, answer: http.client.HTTPResponse) -> None:
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        is_streamed = answer.length is None and not answer.isclosed()
        if is_streamed:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._copy(answer, is_streamed=is_streamed)

    def _copy(self, answer: http.client.HTTPResponse, *, is_streamed: bool) -> None:
        with suppress(TimeoutError, http.client.IncompleteRead):
            while piece := answer.read1(AT_ONCE):
                head, tail = (b"%x\r\n" % len(piece), b"\r\n") if is_streamed else (b"", b"")
                self.wfile.write(head + piece + tail)
                self.wfile.flush()
        if is_streamed:
            self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _pass_on  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Addresses hold tokens: nothing is logged."""
