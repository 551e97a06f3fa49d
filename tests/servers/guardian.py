"""Ends the servers of a test run when the run is over, however it ended.

The test process holds the other end of this process's standard input. When that closes, even by
SIGKILL, everything still on the list is stopped and the folder is removed. The lines it reads:

    watch PID SIGNAL     a server that must not outlive the tests, and the signal that stops it
    forget PID           that server has been stopped already
    container ID         likewise a container
"""

import contextlib
import os
import select
import shutil
import signal
import sys

PATIENCE_MS = 10_000


def listen() -> tuple[dict[int, int], list[str]]:
    """Keep the list until the test process is gone; return what it left behind."""
    signals: dict[int, int] = {}
    containers: list[str] = []
    for line in sys.stdin:
        match line.split():
            case ["watch", pid, number]:
                signals[int(pid)] = int(number)
            case ["forget", pid]:
                signals.pop(int(pid), None)
            case ["container", identity]:
                containers.append(identity)
    return signals, containers


def end(pid: int, number: int) -> None:
    """Stop one server by its own process id, at last with SIGKILL."""
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        os.kill(pid, number)
        gone, _, _ = select.select([handle], [], [], PATIENCE_MS / 1000)
        if not gone:
            os.kill(pid, signal.SIGKILL)


def remove(containers: list[str]) -> None:
    """Remove the containers that the tests could not remove themselves."""
    if containers:
        import docker
        from docker.errors import DockerException

        engine = docker.from_env()
        for identity in containers:
            with contextlib.suppress(DockerException):
                engine.containers.get(identity).remove(force=True, v=True)


def main(folders: list[str]) -> None:
    """Wait for the end of the tests, then clear up."""
    signals, containers = listen()
    for pid, number in reversed(signals.items()):
        end(pid, number)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    remove(containers)


if __name__ == "__main__":
    main(sys.argv[1:])
