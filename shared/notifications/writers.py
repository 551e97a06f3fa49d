"""Those who write letters: this thread when there are few, processes of their own when many.

To fill templates, to draw the code on a document and to pack a mail is Python's own work: in the
service's process it takes the interpreter from the thread that consumes, which loses a few
milliseconds each time it waits for its database. typst lets go of the interpreter; the rest
does not.
"""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

import structlog

from shared.notifications.drafts import Draft, WritingFailed, Written, write_or_say_why

if TYPE_CHECKING:
    from shared.notifications.rendering import Renderer

log = structlog.get_logger()

FEW = 5
"""So many letters are written at once and here: quicker than to start a process for them."""
MOST_PROCESSES = 4
PATIENCE = 60.0
"""Seconds for one process' share of a batch, which takes a fraction of one."""


class _WriterLost(Exception):
    """The process ended, or does not answer."""


class Writers:
    """Writes the letters of all services of this process.

    The processes are started when there is first work for them, and end when this is closed or
    this process has ended, however it ended.
    """

    def __init__(self, mail_from: str, processes: int | None = None) -> None:
        self._mail_from = mail_from
        count = processes or min(MOST_PROCESSES, os.cpu_count() or 1)
        self._desks = [_Desk() for _ in range(count)]
        self._lock = threading.Lock()

    def write(self, drafts: Sequence[Draft], renderer: "Renderer") -> list[Written]:
        """The letters, in the order of the drafts; for one that cannot be written, the reason."""
        if len(drafts) <= FEW:
            return [write_or_say_why(one, renderer, self._mail_from) for one in drafts]
        with self._lock:
            return self._hand_out(drafts, renderer)

    def close(self) -> None:
        """End the processes; another draft would start them again."""
        with self._lock:
            for desk in self._desks:
                desk.leave()

    def _hand_out(self, drafts: Sequence[Draft], renderer: "Renderer") -> list[Written]:
        work = list(zip(self._desks, _shares(drafts, len(self._desks)), strict=False))
        for desk, share in work:
            desk.ask((renderer.templates, renderer.brand, self._mail_from, share))
        written: list[Written] = []
        for desk, share in work:
            try:
                written += desk.answer()
            except _WriterLost:
                log.warning("writer_lost", letters=len(share))
                written += [self._alone(desk, one, renderer) for one in share]
        return written

    def _alone(self, desk: "_Desk", draft: Draft, renderer: "Renderer") -> Written:
        """One of a share took the process with it: alone, it costs only itself."""
        desk.ask((renderer.templates, renderer.brand, self._mail_from, [draft]))
        try:
            return desk.answer()[0]
        except _WriterLost:
            return WritingFailed("the process that wrote it ended, or did not answer")


class _Desk:
    """A place for one process, taken when there is work."""

    def __init__(self) -> None:
        self._at_work: tuple[subprocess.Popen[bytes], Connection] | None = None

    def ask(self, task: object) -> None:
        """Give it work; whether it died of it shows when it answers."""
        if self._at_work is not None and self._at_work[0].poll() is not None:
            self.leave()
        self._at_work = self._at_work or _start()
        with suppress(OSError):
            self._at_work[1].send(task)

    def answer(self) -> list[Written]:
        """What it wrote.

        Raises:
            _WriterLost: it ended, or does not answer.
        """
        if self._at_work is not None:
            line = self._at_work[1]
            with suppress(EOFError, OSError):
                if line.poll(PATIENCE):
                    written: list[Written] = line.recv()
                    return written
        self.leave()
        raise _WriterLost

    def leave(self) -> None:
        """End the process, at once."""
        if self._at_work is not None:
            process, line = self._at_work
            self._at_work = None
            line.close()
            process.kill()
            process.wait()


def _start() -> tuple["subprocess.Popen[bytes]", Connection]:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - our own program.
            [sys.executable, "-m", "shared.notifications.writer", str(theirs.fileno())],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
    return process, Connection(ours.detach())


def _shares(drafts: Sequence[Draft], count: int) -> Iterator[Sequence[Draft]]:
    """Equal shares of neighbours: letters about one onboarding often carry one document."""
    size = -(-len(drafts) // count)
    # An even number, so that a pair stays together.
    size += size % 2
    return (drafts[start : start + size] for start in range(0, len(drafts), size))
