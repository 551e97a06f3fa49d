"""Where a private server lives: a folder of its own, free ports, and a guardian at the door."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.servers import guardian

LOOPBACK = "127.0.0.1"
LISTENING = range(10_240, 32_768)
"""Ports that Linux gives to no outgoing connection, as long as nobody has told it otherwise."""


class ServerError(Exception):
    """A test server could not be had; the sentence says what to do about it."""


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, all different.

    They lie below those that the system gives to outgoing connections: one of these could be taken
    by anybody's connection before the server that it is meant for begins to listen.
    """
    ports: set[int] = set()
    while len(ports) < count:
        port = secrets.choice(LISTENING)
        with suppress(OSError), socket.create_server((LOOPBACK, port)):
            ports.add(port)
    return list(ports)


def wait_until(ready: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Poll until it is ready; raise ServerError naming what was waited for when it never is."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise ServerError(f"waited {seconds:.0f} s in vain until {what}")
        time.sleep(0.02)


class Guarded:
    """A process that clears up after the tests, even when they are killed."""

    def __init__(self, folder: Path | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, guardian.__file__, *([str(folder)] if folder else [])],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C must not reach it: it has work to do just then.
        )

    def tell(self, *words: object) -> None:
        """Say one line to the guardian."""
        assert self._process.stdin is not None
        print(*words, file=self._process.stdin, flush=True)

    def close(self) -> None:
        """Let the guardian clear up what is left, and wait for it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


class Premises:
    """A temporary folder in which one user's server processes run.

    As root they run as the package's own user, since PostgreSQL refuses to run as root; anybody
    else runs them as themselves.
    """

    def __init__(self, name: str, user: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"stappenplan-{name}-"))
        self._account = pwd.getpwnam(user) if os.geteuid() == 0 else None
        self.log = self.folder / "server.log"
        self.log.touch()
        self.own(self.folder)
        self.guardian = Guarded(self.folder)

    def own(self, path: Path) -> None:
        """Give a file or folder to the user whom the servers run as."""
        if self._account:
            os.chown(path, self._account.pw_uid, self._account.pw_gid)

    def write(self, name: str, text: str, mode: int = 0o644) -> Path:
        """Put a file into the folder."""
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        self.own(path)
        return path

    def run(self, command: Sequence[object], env: Mapping[str, str] | None = None) -> str:
        """Run a command to its end as the servers' user; raise ServerError when it fails."""
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [str(word) for word in command],
            env={**os.environ, **(env or {})},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **self._identity(),
        )
        if done.returncode:
            raise ServerError(f"{command[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def start(
        self, command: Sequence[object], env: Mapping[str, str], stop_signal: signal.Signals
    ) -> "subprocess.Popen[bytes]":
        """Start a server that the guardian ends with `stop_signal` if the tests do not."""
        with self.log.open("ab") as log:
            process: subprocess.Popen[bytes] = subprocess.Popen(
                [str(word) for word in command],
                env={**os.environ, **env},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._identity(),
            )
        self.guardian.tell("watch", process.pid, int(stop_signal))
        return process

    def stop(self, process: "subprocess.Popen[bytes]", stop_signal: signal.Signals) -> None:
        """Stop a server and wait until it is gone."""
        process.send_signal(stop_signal)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.guardian.tell("forget", process.pid)

    def await_ready(
        self, process: "subprocess.Popen[bytes]", ready: Callable[[], bool], what: str
    ) -> None:
        """Wait for a server; when it died instead, raise ServerError with the end of its log."""

        def ready_or_dead() -> bool:
            return process.poll() is not None or ready()

        wait_until(ready_or_dead, what)
        if process.poll() is not None:
            raise ServerError(f"in vain waited until {what}:\n{self.log.read_text()[-2000:]}")

    def close(self) -> None:
        """End what still runs and remove the folder."""
        self.guardian.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _identity(self) -> dict[str, Any]:
        if not self._account:
            return {}
        return {
            "user": self._account.pw_uid,
            "group": self._account.pw_gid,
            "extra_groups": [self._account.pw_gid],
        }
