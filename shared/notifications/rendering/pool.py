"""Where messages are rendered: in this thread when they are few, in processes when many.

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
from typing import TYPE_CHECKING, NamedTuple

import structlog

from shared.notifications.rendering.jobs import (
    Rendered,
    RenderingFailed,
    RenderJob,
    render_or_failure,
)

if TYPE_CHECKING:
    from shared.notifications.rendering.renderer import Renderer

log = structlog.get_logger()

INLINE_LIMIT = 5
"""So many messages are rendered at once and here: quicker than to start a process for them."""
MAX_PROCESSES = 4
REPLY_TIMEOUT_SECONDS = 60.0
"""For one process' share of a batch, which takes a fraction of a second."""


class _WorkerLost(Exception):
    """The process ended, does not answer, or its answer is none to what it was asked."""


class RenderPool:
    """Renders the messages of all services of this process.

    The processes are started when there is first work for them, and end when this is closed or
    this process has ended, however it ended.
    """

    def __init__(self, mail_from: str, processes: int | None = None) -> None:
        self._mail_from = mail_from
        count = processes or min(MAX_PROCESSES, os.cpu_count() or 1)
        self._slots = [_WorkerSlot() for _ in range(count)]
        self._lock = threading.Lock()

    def render(self, jobs: Sequence[RenderJob], renderer: "Renderer") -> list[Rendered]:
        """The messages, in the order of the jobs; for one that cannot be rendered, the reason."""
        if len(jobs) <= INLINE_LIMIT:
            return self._render_inline(jobs, renderer)
        with self._lock:
            return self._distribute(jobs, renderer)

    def close(self) -> None:
        """End the processes; another job would start them again."""
        with self._lock:
            self._stop_workers()

    def _distribute(self, jobs: Sequence[RenderJob], renderer: "Renderer") -> list[Rendered]:
        slots = [slot for slot in self._slots if slot.ensure_worker()]
        if not slots:
            return self._render_inline(jobs, renderer)
        try:
            return self._gather(zip(slots, _shares(jobs, len(slots)), strict=False), renderer)
        except BaseException:
            # A reply that nobody fetched must not wait for whoever asks next.
            self._stop_workers()
            raise

    def _stop_workers(self) -> None:
        for slot in self._slots:
            slot.stop()

    def _render_inline(self, jobs: Sequence[RenderJob], renderer: "Renderer") -> list[Rendered]:
        return [render_or_failure(job, renderer, self._mail_from) for job in jobs]

    def _gather(
        self, shares: Iterable[tuple["_WorkerSlot", Sequence[RenderJob]]], renderer: "Renderer"
    ) -> list[Rendered]:
        requests = list(shares)
        for slot, share in requests:
            slot.send((renderer.templates, renderer.brand, self._mail_from, share))
        rendered: list[Rendered] = []
        for slot, share in requests:
            try:
                rendered += slot.receive()
            except _WorkerLost as loss:
                log.warning("render_worker_lost", jobs=len(share), reason=str(loss))
                rendered += [self._render_isolated(slot, job, renderer) for job in share]
        return rendered

    def _render_isolated(
        self, slot: "_WorkerSlot", job: RenderJob, renderer: "Renderer"
    ) -> Rendered:
        """One job of a share took the process with it: alone, it costs only itself."""
        if not slot.ensure_worker():
            return RenderingFailed("no process to render it could be started")
        slot.send((renderer.templates, renderer.brand, self._mail_from, [job]))
        try:
            return slot.receive()[0]
        except _WorkerLost as loss:
            return RenderingFailed(str(loss))


class _Worker(NamedTuple):
    process: "subprocess.Popen[bytes]"
    connection: Connection


class _WorkerSlot:
    """A place for one process, filled when there is work.

    Requests are numbered, and a reply bears the number of its request: no message is ever taken
    for another's.
    """

    def __init__(self) -> None:
        self._worker: _Worker | None = None
        self._request_number = 0
        self._send_error: Exception | None = None

    def ensure_worker(self) -> bool:
        """Whether a process runs in it; one is started if need be, and if that can be done."""
        if self._worker is not None and self._worker.process.poll() is not None:
            self.stop()
        try:
            self._worker = self._worker or _start_worker()
        except OSError as error:
            log.warning("render_worker_not_started", error=str(error))
        return self._worker is not None

    def send(self, request: object) -> None:
        """Give it work; whatever goes wrong with that shows when its reply is received."""
        self._request_number += 1
        self._send_error = None
        try:
            self._connection.send((self._request_number, request))
        except Exception as error:
            self._send_error = error

    def receive(self) -> list[Rendered]:
        """What it rendered.

        Raises:
            _WorkerLost: it ended, does not answer, or not to what it was asked.
        """
        try:
            return self._reply()
        except Exception as error:
            self.stop()
            reason = f"its process ended, or could not be understood: {type(error).__name__}"
            raise _WorkerLost(reason) from error

    def stop(self) -> None:
        """End the process, at once."""
        if self._worker is not None:
            worker, self._worker = self._worker, None
            worker.connection.close()
            worker.process.kill()
            worker.process.wait()

    def _reply(self) -> list[Rendered]:
        if self._send_error is not None:
            raise self._send_error
        if not self._connection.poll(REPLY_TIMEOUT_SECONDS):
            raise TimeoutError
        number, rendered = self._connection.recv()
        if number != self._request_number:
            raise LookupError
        messages: list[Rendered] = rendered
        return messages

    @property
    def _connection(self) -> Connection:
        if self._worker is None:
            raise EOFError
        return self._worker.connection


def _start_worker() -> _Worker:
    ours, theirs = socket.socketpair()
    module = "shared.notifications.rendering.worker"
    with ours, theirs:
        process = subprocess.Popen(  # noqa: S603 - our own program.
            [sys.executable, "-m", module, str(theirs.fileno())],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
        return _Worker(process, Connection(ours.detach()))


def _shares(jobs: Sequence[RenderJob], count: int) -> Iterator[Sequence[RenderJob]]:
    """Equal shares of neighbours: messages about one onboarding often carry one document."""
    size = -(-len(jobs) // count)
    # An even number, so that a pair stays together.
    size += size % 2
    return (jobs[start : start + size] for start in range(0, len(jobs), size))
