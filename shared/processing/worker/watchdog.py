"""Handlers that take too long: which message it is, and what becomes of it.

A handler takes milliseconds. One that hangs or goes round in circles would hold its batch and its
locks for ever, and nobody can end a thread from outside. So somebody checks once in a while: a
message that is found in its handler check after check is broken off. Its transaction is ended
under it, the attempt is recorded with the reason, and then the process must end, so that whoever
runs it starts another, in which that message runs isolated or not at all.

Checks are counted, not seconds: a process that was frozen as a whole has missed them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import get_ident

import structlog
from sqlmodel import Session

from shared.base.errors import InfrastructureDown
from shared.base.log_fields import message_fields
from shared.processing.handlers.messages import Message

log = structlog.get_logger()

CHECK_SECONDS = 2.0
"""Between one check and the next."""

MAX_CHECKS = 15
"""A message that is in its handler for so many checks hangs: some thousand times what is usual."""

Record = Callable[[str, Message, str], None]
"""Gets the id under which the inbox has the message, the message, and the reason."""


class Execution:
    """What one thread has in hand: a transaction, and the message whose handler runs, if any.

    `key` is the id under which the inbox has the message, when that is not its own.
    """

    __slots__ = ("aborted", "key", "last_seen", "message", "session", "times_seen")

    def __init__(self, session: Session, key: str | None) -> None:
        self.session = session
        self.key = key
        self.message: Message | None = None
        self.last_seen: Message | None = None
        self.times_seen = 0
        self.aborted = False

    def end(self) -> None:
        """No handler runs any more.

        Raises:
            InfrastructureDown: it was broken off meanwhile, so nothing of it may count.
        """
        self.message = None
        if self.aborted:
            raise InfrastructureDown("the handler took too long and was broken off")

    def check(self) -> bool:
        """Look in once; whether the same handler has run for too many checks."""
        now, before, self.last_seen = self.message, self.last_seen, self.message
        self.times_seen = self.times_seen + 1 if now is not None and now is before else 0
        return self.times_seen >= MAX_CHECKS

    def abort(self) -> None:
        """End the transaction under the handler, which does not touch it."""
        self.aborted = True
        self.session.connection().invalidate()


class Watchdog:
    """Knows what each thread of a service has in hand."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._executions: dict[int, Execution] = {}

    @contextmanager
    def watch(self, session: Session, key: str | None = None) -> Iterator[Execution]:
        """While this thread runs handlers in a transaction."""
        thread = get_ident()
        execution = self._executions[thread] = Execution(session, key)
        try:
            yield execution
        finally:
            del self._executions[thread]

    def check(self, record: Record) -> bool:
        """Break off what takes too long, and have it recorded; whether there was any."""
        hanging = [execution for execution in list(self._executions.values()) if execution.check()]
        for execution in hanging:
            self._abort(execution, record)
        return bool(hanging)

    def _abort(self, execution: Execution, record: Record) -> None:
        message = execution.last_seen
        if message is None or execution.aborted:
            return
        envelope = message.envelope
        fields = message_fields(self._service, envelope.id, envelope.subject, envelope.type)
        seconds = MAX_CHECKS * CHECK_SECONDS
        reason = f"it took longer than {seconds:.0f} seconds, and was broken off"
        try:
            execution.abort()
            record(execution.key or envelope.id, message, reason)
        except Exception:
            # It comes again, as one that may have killed the process, and is counted then.
            log.exception("handler_hangs_unrecorded", **fields)
        log.error("handler_hangs", **fields)
