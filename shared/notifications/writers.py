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
from collections.abc import Iterable, Iterator, Sequence
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
    """The process ended, does not answer, or its answer is none to what it was asked."""


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
            return self._here(drafts, renderer)
        with self._lock:
            return self._hand_out(drafts, renderer)

    def close(self) -> None:
        """End the processes; another draft would start them again."""
        with self._lock:
            for desk in self._desks:
                desk.leave()

    def _hand_out(self, drafts: Sequence[Draft], renderer: "Renderer") -> list[Written]:
        desks = [one for one in self._desks if one.taken()]
        if not desks:
            return self._here(drafts, renderer)
        try:
            return self._collect(zip(desks, _shares(drafts, len(desks)), strict=False), renderer)
        except BaseException:
            # An answer that nobody fetched must not wait for whoever asks next.
            for desk in self._desks:
                desk.leave()
            raise

    def _here(self, drafts: Sequence[Draft], renderer: "Renderer") -> list[Written]:
        return [write_or_say_why(one, renderer, self._mail_from) for one in drafts]

    def _collect(
        self, shares: Iterable[tuple["_Desk", Sequence[Draft]]], renderer: "Renderer"
    ) -> list[Written]:
        work = list(shares)
        for desk, share in work:
            desk.ask((renderer.templates, renderer.brand, self._mail_from, share))
        written: list[Written] = []
        for desk, share in work:
            try:
                written += desk.answer()
            except _WriterLost as loss:
                log.warning("writer_lost", letters=len(share), reason=str(loss))
                written += [self._alone(desk, one, renderer) for one in share]
        return written

    def _alone(self, desk: "_Desk", draft: Draft, renderer: "Renderer") -> Written:
        """One of a share took the process with it: alone, it costs only itself."""
        if not desk.taken():
            return WritingFailed("no process to write it could be started")
        desk.ask((renderer.templates, renderer.brand, self._mail_from, [draft]))
        try:
            return desk.answer()[0]
        except _WriterLost as loss:
            return WritingFailed(str(loss))


class _Desk:
    """A place for one process, taken when there is work.

    Questions are numbered, and an answer bears the number of its question: no letter is ever
    taken for another's.
    """

    def __init__(self) -> None:
        self._at_work: tuple[subprocess.Popen[bytes], Connection] | None = None
        self._asked = 0
        self._untold: Exception | None = None

    def taken(self) -> bool:
        """Whether a process sits at it; one is started if need be, and if that can be done."""
        if self._at_work is not None and self._at_work[0].poll() is not None:
            self.leave()
        try:
            self._at_work = self._at_work or _start()
        except OSError as error:
            log.warning("writer_not_started", error=str(error))
        return self._at_work is not None

    def ask(self, task: object) -> None:
        """Give it work; whatever goes wrong with that shows when it answers."""
        self._asked += 1
        self._untold = None
        try:
            self._line.send((self._asked, task))
        except Exception as error:
            self._untold = error

    def answer(self) -> list[Written]:
        """What it wrote.

        Raises:
            _WriterLost: it ended, does not answer, or not to what it was asked.
        """
        try:
            return self._heard()
        except Exception as error:
            self.leave()
            reason = f"its writer ended, or could not be understood: {type(error).__name__}"
            raise _WriterLost(reason) from error

    def _heard(self) -> list[Written]:
        if self._untold is not None:
            raise self._untold
        if not self._line.poll(PATIENCE):
            raise TimeoutError
        number, written = self._line.recv()
        if number != self._asked:
            raise LookupError
        answer: list[Written] = written
        return answer

    @property
    def _line(self) -> Connection:
        if self._at_work is None:
            raise EOFError
        return self._at_work[1]

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
    with ours, theirs:
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
