"""Dead letters and their legal moves: every way in which a message dies is written here.

A message that can never work is dead at once; one that failed too often, or during which the
process died again and again, is dead after its last attempt. It stays until a person decides
(`resolutions`). Each death is logged once, as `message_dead_lettered`, and counted.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from functools import partial
from threading import Lock
from typing import Any

import structlog
from sqlmodel import Session

from shared.base.errors import Problem, Reject
from shared.base.log_fields import message_fields
from shared.messaging.bus import Incoming
from shared.processing.decoding import Decoder
from shared.processing.handlers.messages import Message
from shared.processing.store import decisions, inbox, overflow
from shared.processing.store.kept_messages import (
    REFUSED,
    fingerprint,
    storable,
    to_incoming,
    to_refused_columns,
)
from shared.processing.store.tables import DEAD, Inbox
from shared.processing.unit_of_work import UnitOfWork

log = structlog.get_logger()

REJECTED = REFUSED
"""How the ids of messages begin that were not taken under their own id."""

CRASH_LOOP = "it began and did not end: the process died, or was stopped, while this message ran"

TOO_MANY_REQUESTS = 429
SERVER_ERROR = 500


class DeathReason(Enum):
    """Why a message is dead; the word that logs and metrics bear."""

    REJECTED = "rejected"
    """It can never work: unreadable, not for us, not said by its owner, or a handler said so."""
    ID_REUSED = "id_reused"
    """Its id was used before, for other contents."""
    RETRIES_EXHAUSTED = "retries_exhausted"
    """Its handler failed, as often as its subscription allows."""
    CRASH_LOOP = "crash_loop"
    """The process died, or its handler was broken off, again and again while it ran."""
    BROKER = "dead_lettered_by_broker"
    """The broker gave it up, and it cannot be read."""


def is_permanent(reason: Exception) -> bool:
    """Whether trying again cannot help: the handler rejected the message, or told a problem.

    A problem that passes by itself (RFC 9110: 429, 503) is none of these.
    """
    if isinstance(reason, Problem):
        return reason.status < SERVER_ERROR and reason.status != TOO_MANY_REQUESTS
    return isinstance(reason, Reject)


class DeadLetters:
    """One service's dead letters; `counts` tells how many died for which reason since the start."""

    def __init__(self, service: str, decoder: Decoder) -> None:
        self.service = service
        self.counts = Counter({reason.value: 0 for reason in DeathReason})
        self._lock = Lock()
        self._decoder = decoder

    def reject(
        self,
        work: UnitOfWork,
        incoming: Incoming,
        reason: str,
        *,
        code: DeathReason = DeathReason.REJECTED,
        received_at: datetime | None = None,
        attempts: int = 1,
        onboarding_id: str | None = None,
        event_type: str | None = None,
    ) -> None:
        """Keep a message that can never work, under a key of its contents.

        Its own id stays free, so that the sender may correct the message and use the id again. Of
        an outside speaker only so many are kept at a time, the rest is counted (`overflow`): what
        our own services say is kept always.
        `onboarding_id` and `event_type` are for its log line, where it could be read: a replayed
        one bears the name of its queue as routing key.
        """
        key, error = fingerprint(incoming), storable(reason)
        row = {
            "id": (letter_id := f"{REJECTED}{key}"),
            "type": storable(incoming.routing_key)[:255],
            "subject": None,
            "digest": key,
            "status": DEAD,
            "received_at": received_at or work.now,
            "error": error,
            "attempts": attempts,
        }
        speaker = overflow.speaker_of(incoming)
        if speaker is not None and overflow.is_full(work.session, speaker, letter_id):
            self._count_overflow(work, speaker, error)
        elif inbox.insert_new(work.session, [row | to_refused_columns(incoming)]):
            kind = event_type or row["type"]
            self._announce(work, letter_id, onboarding_id, kind, attempts, code)

    def reject_read(
        self,
        work: UnitOfWork,
        message: Message,
        reason: str,
        *,
        code: DeathReason = DeathReason.REJECTED,
    ) -> None:
        """Keep a message that could be read, and can never work all the same."""
        self.reject(
            work,
            message.incoming,
            reason,
            code=code,
            onboarding_id=message.envelope.subject,
            event_type=message.envelope.type,
        )

    def reject_waiting(self, work: UnitOfWork, row: Inbox, reason: str) -> None:
        """A waiting message can never work: it is dead, and its own id is free.

        So it ends as one that was rejected when it came first. What stays under its id is a
        command, which only the service itself could say again, and what a person has decided about.
        """
        if (
            self._decoder.is_command(row.type)
            or row.id.startswith(REJECTED)
            or row.decision is not None
        ):
            row.crashes = 0
            self.exhaust(work, row, reason, DeathReason.REJECTED)
            return
        self.reject(
            work,
            to_incoming(row),
            reason,
            received_at=row.received_at,
            attempts=row.attempts,
            onboarding_id=row.subject,
            event_type=row.type,
        )
        work.session.delete(row)

    def exhaust(self, work: UnitOfWork, row: Inbox, error: str, code: DeathReason) -> None:
        """A waiting message has had its last attempt."""
        row.status, row.due_at, row.error = DEAD, None, storable(error)
        self._announce(work, row.id, row.subject, row.type, row.attempts, code)

    def crash_loop(self, work: UnitOfWork, row: Inbox) -> None:
        """A waiting message kills the process: it is not begun once more."""
        self.exhaust(work, row, CRASH_LOOP, DeathReason.CRASH_LOOP)

    def reject_conflicting_repeats(
        self, work: UnitOfWork, messages: Sequence[Message], new: Sequence[Message]
    ) -> None:
        """Two deliveries with one id are one event, unless their contents differ."""
        if len(new) == len(messages):
            return
        claimed = {id(message) for message in new}
        repeats = [message for message in messages if id(message) not in claimed]
        digests = inbox.digests(work.session, [message.envelope.id for message in repeats])
        for message in repeats:
            message_id, digest = message.envelope.id, message.envelope.digest()
            same = digests.get(message_id) == digest
            if not same and not decisions.corrected(work.session, message_id, digest):
                reason = f"the id {message_id} was used before, for other contents"
                self.reject_read(work, message, reason, code=DeathReason.ID_REUSED)

    @staticmethod
    def id_conflict_reason(session: Session, message: Message) -> str:
        """Why a rejected message cannot run under its own id: what the inbox knows of that id."""
        envelope = message.envelope
        row = session.get(Inbox, envelope.id)
        state = row.status if row else "gone"
        if row and row.digest == envelope.digest():
            return (
                f"this very event came again under its own id {envelope.id}, and is {state}; "
                "drop it"
            )
        return (
            f"its id {envelope.id} was used meanwhile for other contents (which are {state}); "
            "correct it with an id of its own, or drop it"
        )

    def _count_overflow(self, work: UnitOfWork, speaker: str, error: str) -> None:
        number = overflow.add(work.session, speaker, error, work.now)
        if str(number).strip("0") == "1":
            # The log must not run full either: it is told at 1, 10, 100 and so on.
            fields = {"service": self.service, "exchange": speaker, "not_kept": number}
            work.after_commit(lambda: log.error("refused_messages_not_kept", **fields))

    def _announce(
        self,
        work: UnitOfWork,
        message_id: Any,
        onboarding_id: Any,
        event_type: Any,
        attempts: int,
        code: DeathReason,
    ) -> None:
        fields = message_fields(self.service, message_id, onboarding_id, event_type)
        work.after_commit(partial(self._died, fields, attempts, code))

    def _died(self, fields: dict[str, object], attempts: int, code: DeathReason) -> None:
        with self._lock:
            self.counts[code.value] += 1
        log.error("message_dead_lettered", reason=code.value, attempts=attempts, **fields)
