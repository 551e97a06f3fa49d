"""`stappenplan emit` with more than it takes, and to a process that takes no more."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from tests.integration.command_line.shell import ROOT, Shell

EXAMPLE = ROOT / "infra" / "demo" / "examples" / "01-bakkerij.json"


def test_more_than_fits_into_memory_is_not_read(shell: Shell, tmp_path: Path) -> None:
    # Given a file that somebody mistook for one with events,
    file = tmp_path / "disk.img"
    with file.open("wb") as image:
        image.truncate(64 * 1024**2 + 1)
    # Then it is told to be too large, before it is read whole.
    answer = shell("emit", str(file))
    assert (answer.returncode, answer.stderr) == (
        2,
        f"{file} has more than 64 MiB, which is too much at a time\n",
    )


class NoRoom(BaseHTTPRequestHandler):
    """Answers as a server does that has no room for one more connection: in no words."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


def test_a_process_that_is_too_busy_is_asked_again_later(shell: Shell) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), NoRoom) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        shell.settings["HTTP_PORT"] = str(server.server_port)
        answer = shell("emit", str(EXAMPLE))
        server.shutdown()
    assert answer.returncode == 1
    assert answer.stderr == (
        "event 1: it was not taken now (HTTP 503). Emit the same again then: an event that "
        "arrived after all counts once\n"
    )
