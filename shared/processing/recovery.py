"""What is run one at a time: redelivered, due, dead-lettered by the broker, and still in hand.

A message that may have killed the process runs isolated: its attempt is committed before its
handler starts, so that it is counted whatever becomes of the process.
"""

from collections import deque
from collections.abc import Callable, Mapping

import structlog

from shared.base.errors import InfrastructureDown, Malformed, Reject
from shared.base.log_fields import message_fields
from shared.messaging.bus import Incoming
from shared.processing.dead_letters import REJECTED, DeadLetters, DeathReason, is_permanent
from shared.processing.decoding import Decoder
from shared.processing.handlers.messages import Message
from shared.processing.handlers.registry import HandlerRegistry
from shared.processing.pipeline import Pipeline
from shared.processing.retry_policy import MAX_CRASHES
from shared.processing.store import inbox
from shared.processing.store.kept_messages import to_incoming
from shared.processing.store.tables import Inbox
from shared.processing.unit_of_work import Transactions, UnitOfWork, WorkFailed

log = structlog.get_logger()


class Recovery:
    """Runs one service's messages isolated, and records how that ended."""

    def __init__(
        self,
        decoder: Decoder,
        handlers: HandlerRegistry,
        pipeline: Pipeline,
        dead_letters: DeadLetters,
        transactions: Transactions,
        wake: Callable[[], None],
    ) -> None:
        self._decoder = decoder
        self._handlers = handlers
        self._pipeline = pipeline
        self._dead_letters = dead_letters
        self._transactions = transactions
        self._wake = wake
        self._in_hand: deque[tuple[str, Message]] = deque()

    def take_one(self, message: Message) -> None:
        """Process a message whose batch failed: at fault or not, alone it costs only itself."""
        try:
            self._pipeline.run([message])
        except WorkFailed as failure:
            if is_permanent(failure.reason):
                with self._transactions.internal_transaction() as work:
                    self._dead_letters.reject_read(work, message, str(failure.reason))
                return
            self._keep_failed(message, failure.reason)

    def _keep_failed(self, message: Message, reason: Exception) -> None:
        """Keep a message whose attempt is over, as one that failed.

        In one transaction: were its beginning committed by itself and the database gone before
        its end is, it would pass for one that killed the process.
        """
        with self._transactions.internal_transaction() as work:
            ours = inbox.begin_isolated(work.session, message, work.now)
            row = inbox.lock_waiting(work.session, message.envelope.id) if ours else None
            if row is not None:
                self._record_in(work, row, reason)
            else:
                self._dead_letters.reject_conflicting_repeats(work, [message], [])
        self._wake()

    def take_redelivered(self, message: Message) -> None:
        """Process a message that may have killed the process: its attempt is committed first."""
        with self._transactions.internal_transaction() as work:
            ours = inbox.begin_isolated(work.session, message, work.now)
            if not ours:
                self._dead_letters.reject_conflicting_repeats(work, [message], [])
        if ours:
            self._run_isolated(message.envelope.id, message)

    def take_dead_lettered(self, incoming: Incoming) -> None:
        """Keep what the broker gave up as waiting, to be run alone, unless it is known here.

        A broker counts deliveries, and a message is delivered anew whenever a connection is lost:
        that says nothing of the message. Nor does a queue that was full, or a time that somebody
        set. So it is run as one that may kill the process: its attempts are committed before they
        begin, and whether it is to blame is found out here.

        One that is done had its effect before the broker heard so; one that waits or is dead is
        in the inbox already. Neither needs keeping twice. What cannot be read is dead.
        """
        reason = f"the broker gave it up: {incoming.dead_lettered}"
        try:
            message = self._decoder.decode(incoming)
        except Malformed as refusal:
            self.reject(incoming, Reject(f"{reason}; besides, {refusal}"), DeathReason.BROKER)
            return
        envelope = message.envelope
        with self._transactions.internal_transaction() as work:
            new = inbox.keep_waiting(work.session, message, work.now, reason)
            if not new:
                self._dead_letters.reject_conflicting_repeats(work, [message], [])
        if new:
            fields = message_fields(
                self._dead_letters.service, envelope.id, envelope.subject, envelope.type
            )
            log.warning("message_run_isolated", reason=reason, **fields)
            self._wake()

    def reject(
        self,
        incoming: Incoming,
        reason: Exception,
        code: DeathReason = DeathReason.REJECTED,
    ) -> None:
        """Keep a message that can never work as a dead letter.

        Raises:
            InfrastructureDown: the database is away; call again later.
        """
        with self._transactions.internal_transaction() as work:
            self._dead_letters.reject(work, incoming, str(reason), code=code)

    # What waits in the inbox.

    def run_due(self, limit: int = 50) -> int:
        """Run waiting messages whose time has come, at most `limit`; returns how many there were.

        Raises:
            InfrastructureDown: the database is away; the next call goes on with what is in hand.
        """
        self._run_in_hand()
        for count in range(limit):
            if not self._run_next():
                return count
        return limit

    def abort(self, key: str, message: Message, reason: str) -> None:
        """Record that a handler was broken off: it counts as one that killed the process."""
        with self._transactions.internal_transaction() as work:
            if key == message.envelope.id:
                inbox.begin_isolated(work.session, message, work.now)
            row = inbox.lock_waiting(work.session, key)
            if row is None:
                return
            policy = self._handlers.retry_policy(row.type)
            crashed_often = row.crashes >= MAX_CRASHES
            if crashed_often or not inbox.retry_later(row, reason, work.now, policy):
                self._dead_letters.exhaust(work, row, reason, DeathReason.CRASH_LOOP)

    def _run_in_hand(self) -> None:
        """Run what the database interrupted by going away.

        It comes first: its attempt is counted already, and must not count as one that killed the
        process.
        """
        while self._in_hand:
            self._run_isolated(*self._in_hand.popleft())

    def _run_next(self) -> bool:
        """Claim the next one that is due, and run it; whether there was any."""
        with self._transactions.internal_transaction() as work:
            row = inbox.claim_due(work.session, work.now)
            if row is None:
                return False
            if row.crashes >= MAX_CRASHES:
                self._dead_letters.crash_loop(work, row)
                return True
            inbox.lease(row, work.now)
        try:
            message = self._decode_stored(row)
        except Malformed as refusal:
            self._record_failure(row.id, refusal)
        else:
            self._run_isolated(row.id, message)
        return True

    def _decode_stored(self, row: Inbox) -> Message:
        """Decode what the inbox kept; what was rejected is judged anew.

        So a person who retries a message that was said by the wrong speaker does not vouch for it.
        """
        incoming = to_incoming(row)
        if row.id.startswith(REJECTED):
            return self._decoder.decode(incoming)
        return self._decoder.decode_stored(incoming)

    def _run_isolated(self, key: str, message: Message) -> None:
        def work(unit: UnitOfWork) -> None:
            row = inbox.lock_waiting(unit.session, key)
            if row is None or row.body != message.incoming.body:
                return  # It was dealt with while this one waited, and its id may be another's now.
            if message.envelope.id != key:
                self._claim_own_id(unit, message)
            self._pipeline.handle(unit, [message], key)
            inbox.finish(row)
            unit.session.flush()

        try:
            try:
                self._transactions.run(work, numbers=1)
            except WorkFailed as failure:
                self._record_failure(key, failure.reason)
        except InfrastructureDown:
            self._in_hand.append((key, message))
            self._wake()
            raise

    def _claim_own_id(self, work: UnitOfWork, message: Message) -> None:
        """A rejected message that is retried takes its own id now; it must not have been used.

        Otherwise the message has had its effect by another way, or another message has its id:
        it dies once more with that reason, rather than be done twice or pass for done.
        """
        if not inbox.claim(work.session, [message], work.now):
            raise Reject(self._dead_letters.id_conflict_reason(work.session, message))

    def _record_failure(self, key: str, reason: Exception) -> None:
        with self._transactions.internal_transaction() as work:
            row = inbox.lock_waiting(work.session, key)
            if row is not None:
                self._record_in(work, row, reason)
        self._wake()

    def _record_in(self, work: UnitOfWork, row: Inbox, reason: Exception) -> None:
        if is_permanent(reason):
            self._dead_letters.reject_waiting(work, row, str(reason))
            return
        # It ended, so that the process was not killed by it.
        row.crashes = 0
        error = f"{type(reason).__name__}: {reason}"
        policy = self._handlers.retry_policy(row.type)
        if not inbox.retry_later(row, error, work.now, policy):
            self._dead_letters.exhaust(work, row, error, DeathReason.RETRIES_EXHAUSTED)
            return
        fields = {**self._fields(row), "attempts": row.attempts, "error": type(reason).__name__}
        work.after_commit(lambda: log.warning("message_failed", **fields))

    def _fields(self, row: Inbox) -> Mapping[str, object]:
        return message_fields(self._dead_letters.service, row.id, row.subject, row.type)
