"""Fifty sign-ups of a mebibyte at one moment: each is answered, and memory stays where it was."""

import json
import re
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

import pytest

from infra.demo.simulators import website
from shared.events.envelope import MAX_BODY_BYTES
from shared.host.settings import Settings
from tests.integration.command_line.shell import PROGRAM, Shell
from tests.scopes import token_for
from tests.servers.premises import free_ports, wait_until

MANY = 50
BOUND = 60
BOUND_KIBIBYTES = 384 * 1024
"""Read, one takes 30 MiB, and some 90 while it is accepted: all together would take gigabytes."""


@dataclass
class Running:
    """Stappenplan in a process of its own, whose memory is its own too."""

    pid: int
    port: int
    token: str

    def kibibytes(self, of: str) -> int:
        """What the kernel says of its memory: VmRSS now, VmHWM at its peak."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(rf"^{of}:\s+(\d+) kB$", status, re.MULTILINE)
        assert found is not None
        return int(found[1])

    def forget_peak(self) -> None:
        """Have the peak be what it is now (Linux, proc(5))."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def post(self, body: bytes, token: str) -> int:
        """Sign up with this; the status of the answer."""
        line = HTTPConnection("127.0.0.1", self.port, timeout=BOUND)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        line.request("POST", "/api/signups", body, headers)
        status = line.getresponse().status
        line.close()
        return status


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    shell, (port,) = Shell(tmp_path_factory.mktemp("large"), {}), free_ports(1)
    shell.settings["HTTP_PORT"] = str(port)
    command = [str(PROGRAM), "--log-level", "error", "run"]
    with subprocess.Popen(command, env=shell.environment, stdout=subprocess.DEVNULL) as process:
        wait_until(lambda: _listens(port), "it listens", BOUND)
        key = Settings(data_dir=shell.data_dir).signing_key()
        yield Running(process.pid, port, token_for(key, "signup:submit", office="0042"))
        process.send_signal(signal.SIGTERM)


def _listens(port: int) -> bool:
    try:
        line = HTTPConnection("127.0.0.1", port, timeout=2)
        line.request("GET", "/readyz")
        return line.getresponse().status == 200
    except OSError:
        return False


def _signup() -> bytes:
    document = website.examples()[0]["data"]
    document["terms"]["accepted_at"] = datetime.now(UTC).isoformat()
    return json.dumps(document).encode()


def _stuffed(size: int, form: bytes) -> bytes:
    """The form with a field of which nobody knows, of what takes most memory when it is read."""
    begin, part, end = form[:-1] + b', "stuffing": [1', b',{"":0}', b"]}"
    body = begin + part * ((size - len(begin) - len(end)) // len(part)) + end
    return body.ljust(size)


JUST = MAX_BODY_BYTES - 4096
"""A sign-up becomes an event, which is a little longer and has the same limit."""


@pytest.mark.parametrize(
    ("body", "is_known", "status"),
    [
        pytest.param(_stuffed(MAX_BODY_BYTES, b'{"office_code": "0042"}'), True, 422, id="unfit"),
        pytest.param(_stuffed(JUST, _signup()), False, 401, id="of a stranger"),
        pytest.param(_stuffed(MAX_BODY_BYTES + 1, _signup()), True, 413, id="too large"),
        pytest.param(_stuffed(JUST, _signup()), True, 202, id="accepted", marks=pytest.mark.slow),
    ],
)
def test_fifty_bodies_of_a_mebibyte_at_once_are_answered_within_bounds(
    running: Running, body: bytes, is_known: bool, status: int
) -> None:
    # Given a process that has seen such a body before, and fifty who have one,
    token, everybody = running.token if is_known else "x", threading.Barrier(MANY)
    assert running.post(body, token) == status
    running.forget_peak()
    before = running.kibibytes("VmRSS")

    def post() -> int:
        everybody.wait()
        return running.post(body, token)

    # When all send it at once,
    with ThreadPoolExecutor(MANY) as threads:
        answers = Counter(it.result() for it in [threads.submit(post) for _ in range(MANY)])
    # Then each is answered,
    assert answers == {status: MANY}
    # and memory rises by what comes in and a few that are read, not by all of them read.
    assert running.kibibytes("VmHWM") - before < BOUND_KIBIBYTES
