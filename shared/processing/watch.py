"""Handlers that take too long: which message it is, and what becomes of it.

A handler takes milliseconds. One that hangs or goes round in circles would hold its batch and its
locks for ever, and nobody can end a thread from outside. So somebody looks in once in a while: a
message that is found in its handler look after look is broken off. Its transaction is ended under
it, the attempt is written down with the reason, and then the process must end, so that whoever
runs it starts another, in which that message runs alone or not at all.

Looks are counted, not seconds: a process that was frozen as a whole has missed them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import get_ident

import structlog
from sqlmodel import Session

from shared.errors import InfrastructureDown
from shared.processing.messages import Delivery

log = structlog.get_logger()

LOOK_SECONDS = 2.0
"""Between one look and the next."""

LOOKS = 15
"""A message that is in its handler for so many looks hangs: some thousand times what is usual."""


class Work:
    """What one thread has in hand: a transaction, and the message whose handler runs, if any.

    `key` is the id under which the inbox has the message, when that is not its own.
    """

    __slots__ = ("broken_off", "delivery", "key", "seen", "session", "times")

    def __init__(self, session: Session, key: str | None) -> None:
        self.session = session
        self.key = key
        self.delivery: Delivery | None = None
        self.seen: Delivery | None = None
        self.times = 0
        self.broken_off = False

    def over(self) -> None:
        """No handler runs any more.

        Raises:
            InfrastructureDown: it was broken off meanwhile, so nothing of it may count.
        """
        self.delivery = None
        if self.broken_off:
            raise InfrastructureDown("the handler took too long and was broken off")

    def look(self) -> bool:
        """Look in; whether the same handler has run for too many looks."""
        now, before, self.seen = self.delivery, self.seen, self.delivery
        self.times = self.times + 1 if now is not None and now is before else 0
        return self.times >= LOOKS

    def break_off(self) -> None:
        """End the transaction under the handler, which does not touch it."""
        self.broken_off = True
        self.session.connection().invalidate()


class Watch:
    """Knows what each thread of a service has in hand."""

    def __init__(self) -> None:
        self._at_work: dict[int, Work] = {}

    @contextmanager
    def over(self, session: Session, key: str | None = None) -> Iterator[Work]:
        """While this thread runs handlers in a transaction."""
        me = get_ident()
        work = self._at_work[me] = Work(session, key)
        try:
            yield work
        finally:
            del self._at_work[me]

    def look(self, record: Callable[[str, Delivery, str], None]) -> bool:
        """Break off what takes too long, and have it recorded; whether there was any.

        `record` gets the key in the inbox, the message and the reason.
        """
        found = [one for one in list(self._at_work.values()) if one.look()]
        for work in found:
            self._break_off(work, record)
        return bool(found)

    def _break_off(self, work: Work, record: Callable[[str, Delivery, str], None]) -> None:
        delivery = work.seen
        if delivery is None or work.broken_off:
            return
        reason = f"it took longer than {LOOKS * LOOK_SECONDS:.0f} seconds, and was broken off"
        try:
            work.break_off()
            record(work.key or delivery.envelope.id, delivery, reason)
        except Exception:
            # It comes again, as one that may have killed the process, and is counted then.
            log.exception("handler_hangs_unrecorded", message_id=delivery.envelope.id)
        log.error(
            "handler_hangs", message_id=delivery.envelope.id, event_type=delivery.envelope.type
        )
