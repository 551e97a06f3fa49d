"""A server of little pages, for tests of the harness itself: each has one thing wrong, or none."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.servers.premises import LOOPBACK

PAGE = """<!doctype html>
<html lang="nl">
<head><title>Voorbeeld</title><link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/plain.css">{head}</head>
<body><main><h1>Voorbeeld</h1>{body}</main></body>
</html>
"""
PLAIN = """
body { font: 16px/1.6 system-ui; margin: 1rem; color: #111; background: #fff }
button, input { min-height: 2rem }
"""
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'"
LATER = "<!-- the rest comes later -->"
"""Where an answer pauses, as one does that crosses a slow line."""

SECONDS_LATER = 0.5
TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


class LittlePages:
    """Serves the pages that a test puts here, under the policy that all our pages have."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.answers: dict[str, tuple[int, str, str]] = {}
        self.serve("/icon.svg", '<svg xmlns="http://www.w3.org/2000/svg"/>')
        self.serve("/plain.css", PLAIN)

    def serve(self, path: str, text: str, *, policy: str = POLICY, status: int = 200) -> None:
        """Answer this path with this text, of the type that its ending says."""
        self.answers[path] = (status, text, policy)

    def page(self, body: str, *, css: str = "", policy: str = POLICY, status: int = 200) -> str:
        """Serve one page, with a stylesheet of its own; its path."""
        path = f"/page-{len(self.answers)}"
        self.serve(f"{path}.css", css)
        head = f'<link rel="stylesheet" href="{path}.css">'
        self.serve(path, PAGE.format(head=head, body=body), policy=policy, status=status)
        return path


@contextmanager
def little_pages() -> Iterator[LittlePages]:
    """The server, on a port of its own."""
    server = ThreadingHTTPServer((LOOPBACK, 0), _Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    pages = LittlePages(f"http://{LOOPBACK}:{server.server_port}")
    server.pages = pages  # type: ignore[attr-defined]
    try:
        yield pages
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        pages: LittlePages = self.server.pages  # type: ignore[attr-defined]
        status, text, policy = pages.answers.get(self.path.rstrip("?"), (404, "", POLICY))
        ending = self.path.rpartition(".")[2]
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{TYPES.get(ending, 'text/html')}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if policy:
            self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        first, _, rest = body.partition(LATER.encode())
        self.wfile.write(first)
        if rest:
            time.sleep(SECONDS_LATER)
            self.wfile.write(body[len(first) :])

    def log_message(self, format: str, *args: object) -> None: ...
