"""A process that is asked to end while it starts: it does, also as process 1 of a container."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.run.command import _work_until_asked_to_stop
from infra.run.http_server import HttpServer
from infra.run.supervisor import Supervisor
from shared.host.settings import Settings
from tests.integration.command_line.shell import PROGRAM, Shell
from tests.servers.premises import free_ports, wait_until

AT_ONCE = 4.5
"""Seconds: one would do, were the machine not busy with other things; a silent database is waited
for five."""
CONTAINER = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child")
"""What runs as process 1 of a world of its own, as in a container."""


def can_be_process_one() -> bool:
    try:
        return subprocess.run([*CONTAINER, "true"], check=False, timeout=10).returncode == 0
    except FileNotFoundError:
        return False


def child_of(process: "subprocess.Popen[bytes]") -> int:
    """The number of a process's only child."""
    file = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    wait_until(lambda: file.read_text().strip() != "", "it has a child")
    return int(file.read_text())


@contextmanager
def process_one(
    words: Sequence[str], environment: dict[str, str]
) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """`stappenplan` as process 1: what waits for its end, and its number out here."""
    waiting = subprocess.Popen([*CONTAINER, PROGRAM, *words], env=environment)
    try:
        yield waiting, child_of(waiting)
    finally:
        waiting.kill()
        waiting.wait()


def is_python(pid: int) -> bool:
    """Whether it has become the program, and Python is at work there."""
    return b"stappenplan" in Path(f"/proc/{pid}/cmdline").read_bytes()


def handles(pid: int, number: int) -> bool:
    """Whether the process has a handler for a signal (proc(5), `SigCgt`)."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


needs_namespaces = pytest.mark.skipif(
    not can_be_process_one(), reason="this machine lets nobody make a world of their own"
)


@needs_namespaces
def test_process_one_ends_when_it_is_stopped_in_its_first_tenths_of_a_second(
    shell: Shell,
) -> None:
    # Given a container that has only just begun, long before it can work,
    shell.settings["HTTP_PORT"] = str(free_ports(1)[0])
    began = time.monotonic()
    with process_one(["run"], shell.environment) as (waiting, pid):
        wait_until(lambda: is_python(pid) and handles(pid, signal.SIGTERM), "it can be stopped")
        loaded = time.monotonic() - began
        # When it is stopped,
        os.kill(pid, signal.SIGTERM)
        # Then it ends at once, as whatever is ended by this signal does, and has made nothing.
        assert waiting.wait(AT_ONCE) == 128 + signal.SIGTERM
    assert loaded < AT_ONCE
    assert not shell.data_dir.exists() or not list(shell.data_dir.iterdir())


@needs_namespaces
def test_process_one_that_waits_for_its_database_ends_when_it_is_stopped(shell: Shell) -> None:
    # Given a service whose start waits for a database that takes its call and never answers,
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        shell.settings["DATABASE_URL"] = (
            f"postgresql+psycopg://nobody:secret@127.0.0.1:{port}/{{service}}"
        )
        shell.settings["HTTP_PORT"] = str(free_ports(1)[0])
        with process_one(["run"], shell.environment) as (waiting, pid):
            silent.settimeout(30)
            call, _ = silent.accept()
            # When it is stopped, Then it ends before that wait would, in good order.
            os.kill(pid, signal.SIGTERM)
            with call:
                assert waiting.wait(AT_ONCE) == 0


def test_who_is_stopped_when_work_has_begun_finishes_the_start_and_stops_in_good_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given services that are at work, in a process whose start is not over,
    supervisor = Supervisor(Settings(data_dir=tmp_path, http_port=0, log_level="error"))
    serve = supervisor._serve

    def stopped_midway(servers: Sequence[HttpServer]) -> None:
        # When it is stopped there, where it begins to answer requests,
        signal.raise_signal(signal.SIGTERM)
        serve(servers)

    monkeypatch.setattr(supervisor, "_serve", stopped_midway)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        failed = _work_until_asked_to_stop(supervisor, is_playground=False)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    # Then nothing of the start is broken off, and all ends as at any other moment.
    assert not failed
    assert supervisor.unfinished == []
    assert "stopping: finishing the work in hand" in capsys.readouterr().out
