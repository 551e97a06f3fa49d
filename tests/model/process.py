"""One process of a service, driven step by step by the very code that its threads would run.

A step may meet one fault: the process dies at a named point (`shared.base.crash_points`), its
database refuses a commit or commits without an answer, its acknowledgement is lost. A process that
died is thrown away with all that it knew, and another begins on the same database.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from shared.base import crash_points
from shared.host import runtime
from shared.host.runtime import Runtime
from shared.messaging.bus import Incoming
from shared.notifications.senders.protocol import Senders
from shared.persistence.clock import Machine
from shared.processing import Message, pipeline, unit_of_work
from shared.processing.decoding import PublisherRules
from shared.processing.store import inbox, outbox
from shared.processing.worker import consumer, publisher
from shared.processing.worker.consumer import Consumer
from shared.processing.worker.threads import StoppableThread
from tests.model.broker import BATCH_ROOM, Line, Publication
from tests.model.chain import Moods, ProcessDied, build
from tests.model.ground import Ground

PLACES = (consumer, inbox, outbox, pipeline, publisher, unit_of_work)
"""The modules that pass the named points."""

POINTS = tuple(
    point for point in crash_points.POINTS if not point.startswith(("notification", "send", "sent"))
)
COMMIT_REFUSED, COMMIT_UNANSWERED = "commit refused", "commit unanswered"
ACKNOWLEDGEMENT_LOST = "acknowledgement lost"
FAULTS = (*POINTS, COMMIT_REFUSED, COMMIT_UNANSWERED, ACKNOWLEDGEMENT_LOST)


@dataclass(frozen=True)
class Fault:
    """What goes wrong in one step: at which pass of its point, or nothing at all.

    `fates` say what becomes of the messages on the wire when the process dies.
    """

    what: str = ""
    nth: int = 1
    fates: Sequence[str] = ("lost",)


WELL = Fault()


class Ends:
    """How the runs of a service ended, over all of its processes.

    What it did not hear to be committed, it may have committed: an attempt among the rest.
    """

    def __init__(self) -> None:
        self.unfinished: Counter[str] = Counter()
        """How often a message that ran isolated, by its key in the inbox, was cut short."""
        self.unanswered = 0

    def noting(self, run: Callable[[str, Message], None]) -> Callable[[str, Message], None]:
        """Run a message isolated, and note when that is cut short."""

        def run_isolated(key: str, message: Message) -> None:
            try:
                run(key, message)
            except BaseException:
                self.unfinished[key] += 1
                raise

        return run_isolated


class Impatient(threading.Event):
    """An event that nobody waits for: pauses are over at once, so that no test sleeps."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


class Process:
    """One process of the teller or of the hearer.

    No database is asked what time it is: the time is that of the `machine`.
    """

    def __init__(
        self,
        name: str,
        ground: Ground,
        machine: Machine,
        moods: Moods,
        new_line: Callable[[], Line],
        ends: "Ends",
    ) -> None:
        self.name = name
        self._ends = ends
        self._ground, self._machine, self._new_line = ground, machine, new_line
        self._service = build(name, moods)
        self._outward = Senders(email=None, sms=None)  # type: ignore[arg-type]  # No mail is said.
        self._passes = 0
        self._fault = WELL
        self._begin()

    def _begin(self) -> None:
        self.line = self._new_line()
        settings, database = self._ground.settings, self._ground.databases[self.name]
        with patch.object(runtime, "Database", lambda *_, **__: database):
            self.runtime = Runtime(
                self._service,
                settings,
                self.line,
                self._outward,
                PublisherRules(),
                machine=self._machine,
            )
        recovery = self.runtime.engine.recovery
        recovery._run_isolated = self._ends.noting(recovery._run_isolated)  # type: ignore[assignment,method-assign]

    # What its threads would do.

    def consume(self, messages: Sequence[Incoming], fault: Fault = WELL) -> None:
        """Receive a batch, deal with it, acknowledge it."""
        thread = Consumer(self.name, self.line, self.runtime.engine)
        thread.stopping = Impatient()
        with self._meeting(fault), self.line.offering(messages, thread.stopping.set):
            thread.run()

    def sweep(self, fault: Fault = WELL) -> None:
        """Look for what was left unpublished."""
        self._chore(self.runtime.tasks.sweep, fault)

    def flush_confirms(self, fault: Fault = WELL) -> None:
        """Mark what the broker has answered."""
        self._chore(self._flush_confirms, fault)

    def run_due(self, fault: Fault = WELL) -> None:
        """Run what waits and is due."""
        self._chore(self.runtime.engine.run_due, fault)

    def clean(self, fault: Fault = WELL) -> None:
        """Remove what need not be kept any longer."""
        self._chore(self.runtime.tasks.clean, fault)

    def recall(self, fault: Fault = WELL) -> None:
        """Look for what was written by a clock that has been set back since."""
        self._chore(self.runtime.tasks.recall, fault)

    def hear(self, publication: Publication, fates: Sequence[str], fault: Fault = WELL) -> None:
        """Hear what became of what it published."""
        with self._meeting(fault):
            self.line.answer(publication, fates)

    def stop(self, fault: Fault = WELL) -> None:
        """Stop in good order; another process takes its place."""
        stopping = self.runtime
        with self._meeting(fault):
            stopping.stop(patience=0.0)
        if stopping is self.runtime:
            self._begin()

    def _flush_confirms(self) -> None:
        with unit_of_work.translate_errors():
            self.runtime.engine.publisher.flush_confirms()

    def _chore(self, work: Callable[[], object], fault: Fault) -> None:
        thread = StoppableThread(self.name)
        thread.stopping = Impatient()
        with self._meeting(fault):
            thread.retry_while_down(work)

    # What goes wrong.

    @contextmanager
    def _meeting(self, fault: Fault) -> Iterator[None]:
        self._fault, self._passes = fault, 0
        self.line.reached = self._reached
        self.line.loses_acknowledgements = fault.what == ACKNOWLEDGEMENT_LOST
        dialect = self.runtime.database.engine.dialect
        self._really_commit = dialect.do_commit
        patches: list[Any] = [patch.object(place, "reached", self._reached) for place in PLACES]
        patches.append(patch.object(dialect, "do_commit", self._commit))
        patches.append(patch.object(publisher, "SWEEP_BYTES", BATCH_ROOM))
        patches.append(patch.object(publisher, "SWEPT_BYTES", 2 * BATCH_ROOM))
        for patched in patches:
            patched.start()
        try:
            yield
        except ProcessDied:
            self._die(fault.fates)
        finally:
            for patched in patches:
                patched.stop()
            self._fault = WELL
            self.line.loses_acknowledgements = False
            self.line.requeue()

    def _reached(self, point: str) -> None:
        if self._is_time(point):
            raise ProcessDied

    def _commit(self, connection: Any) -> None:
        """Commit, unless the database is to refuse; and answer, unless it is to be silent."""
        engine = self.runtime.database.engine
        away = engine.dialect.loaded_dbapi.OperationalError("the connection is gone")
        if self._is_time(COMMIT_REFUSED):
            raise away
        self._really_commit(connection)
        if self._is_time(COMMIT_UNANSWERED):
            self._ends.unanswered += 1
            raise away

    def _is_time(self, what: str) -> bool:
        if what != self._fault.what:
            return False
        self._passes += 1
        return self._passes == self._fault.nth

    def _die(self, fates: Sequence[str]) -> None:
        for publication in self.line.on_the_wire:
            self.line.arrive(publication, fates)
        self.line.requeue()
        self._begin()
