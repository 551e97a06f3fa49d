"""THE transaction: seen, done and said in one commit.

A batch of messages is claimed, their entities are loaded with one query each, every handler
runs, what they returned is written to the outbox, and all of it commits at once. When `take`
returns, each message is processed, waiting with a due time, or dead with a reason; the caller
may acknowledge it.
"""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from sqlmodel import Session

from shared.crash_points import reached
from shared.errors import Conflict, InfrastructureDown, Invalid, Malformed, Reject
from shared.messaging.bus import Incoming
from shared.processing import decisions, inbox
from shared.processing.handling import Handling
from shared.processing.messages import Delivery, Message, Now
from shared.processing.model import DEAD
from shared.processing.reading import Reader
from shared.processing.speech import Speech
from shared.processing.transactions import Transactions, WorkFailed
from shared.processing.watch import Watch

log = structlog.get_logger()


class Dispatcher:
    """Deals with one service's messages, each exactly once in its database."""

    def __init__(
        self,
        reader: Reader,
        handling: Handling,
        speech: Speech,
        transactions: Transactions,
        clock: Callable[[], datetime],
    ) -> None:
        self._reader = reader
        self._handling = handling
        self._speech = speech
        self._transactions = transactions
        self._clock = clock
        self._in_hand: deque[tuple[str, Delivery]] = deque()
        self.on_waiting: Callable[[], None] = lambda: None
        self._watch = Watch()

    def take(self, incoming: Sequence[Incoming]) -> None:
        """Deal with a batch of messages from the broker.

        Raises:
            InfrastructureDown: the database is away; no attempt was counted, call again later.
        """
        readable: list[Delivery] = []
        for one in incoming:
            if one.given_up:
                self._lay_out(one)
                continue
            try:
                readable.append(self._reader.read(one))
            except Malformed as refusal:
                self._bury(one, str(refusal))
        self._take_together([one for one in readable if not one.suspect])
        for delivery in readable:
            if delivery.suspect:
                self._take_suspect(delivery)

    def request(self, delivery: Delivery) -> Sequence[Message] | None:
        """Handle what a person asked for, in one transaction, and return what was said.

        Returns None when the same request, by its id, was handled before.

        Raises:
            Problem: it cannot be done; nothing was changed.
            InfrastructureDown: the database is away; the request may be made again.
        """

        def work(session: Session) -> Sequence[Message] | None:
            if not self._claim(session, [delivery]):
                self._insist_on_same_contents(session, delivery)
                return None
            return self._handle(session, [delivery])[0]

        try:
            return self._transactions.run(work, numbers=1)
        except WorkFailed as failure:
            if isinstance(failure.reason, Reject):
                raise Conflict("not_possible", str(failure.reason)) from failure.reason
            raise failure.reason from None

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

    def _run_next(self) -> bool:
        """Take the next one that is due, and run it; whether there was any."""
        with self._transactions.bookkeeping() as session:
            row = inbox.take_due(session, self._clock())
        if row is None:
            return False
        if row.status == DEAD:
            log.error("message_kills", message_id=row.id)
            return True
        try:
            delivery = self._reader.read_kept(inbox.incoming_of(row), row.id)
        except Malformed as refusal:
            self._record_failure(row.id, refusal)
        else:
            self._run_alone(row.id, delivery)
        return True

    def look(self) -> bool:
        """Break off every handler that takes too long; whether the process must end for it."""
        return self._watch.look(self._note_broken_off)

    def _note_broken_off(self, key: str, delivery: Delivery, reason: str) -> None:
        """Count it as an attempt, like one that killed the process; after a few, it is dead."""
        with self._transactions.bookkeeping() as session:
            if key == delivery.envelope.id:
                inbox.begin_alone(session, delivery, self._clock())
            row = inbox.lock_waiting(session, key)
            if row is not None:
                inbox.break_off(row, reason, self._clock())

    def bury(self, incoming: Incoming, fault: Exception) -> None:
        """Keep a message that nothing here was prepared for as a dead letter: the last resort.

        Raises:
            InfrastructureDown: the database is away; call again later.
        """
        self._bury(incoming, f"it cannot be dealt with: {type(fault).__name__}: {fault}")

    def _run_in_hand(self) -> None:
        """Run what the database interrupted by going away.

        It comes first: its attempt is counted already, and must not count as one that killed the
        process.
        """
        while self._in_hand:
            self._run_alone(*self._in_hand.popleft())

    # A batch in one transaction.

    def _take_together(self, deliveries: Sequence[Delivery]) -> None:
        if not deliveries:
            return
        ordered = sorted(deliveries, key=lambda one: (one.envelope.subject, one.envelope.id))
        try:
            self._transactions.run(lambda s: self._process(s, ordered), numbers=len(ordered))
        except WorkFailed:
            # One of them is at fault; alone, it costs only itself.
            for delivery in ordered:
                self._take_singly(delivery)

    def _process(self, session: Session, deliveries: Sequence[Delivery]) -> None:
        fresh = self._claim(session, deliveries)
        self._handle(session, fresh)
        if len(fresh) < len(deliveries):
            self._check_repeats(session, deliveries, fresh)

    def _claim(self, session: Session, deliveries: Sequence[Delivery]) -> list[Delivery]:
        unique = {one.envelope.id: one for one in reversed(deliveries)}
        ordered = [one for one in deliveries if unique[one.envelope.id] is one]
        reached("inbox_claim.before")
        claimed = inbox.claim(session, ordered, self._clock())
        reached("inbox_claim.after")
        return [one for one in ordered if one.envelope.id in claimed]

    def _handle(
        self, session: Session, deliveries: Sequence[Delivery], key: str | None = None
    ) -> list[Sequence[Message]]:
        if not deliveries:
            return []
        reached("handlers.before")
        with self._watch.over(session, key) as work:
            said = self._handling.run(session, deliveries, Now(self._clock()), work)
        reached("handlers.after")
        self._speech.write(session, said)
        return [messages for _, messages in said]

    def _check_repeats(
        self, session: Session, deliveries: Sequence[Delivery], fresh: Sequence[Delivery]
    ) -> None:
        """Two deliveries with one id are one event, unless their contents differ."""
        new = {id(one) for one in fresh}
        repeats = [one for one in deliveries if id(one) not in new]
        known = inbox.digests(session, [one.envelope.id for one in repeats])
        for one in repeats:
            message_id, digest = one.envelope.id, one.envelope.digest()
            if known.get(message_id) != digest and not decisions.knows(session, message_id, digest):
                reason = f"the id {message_id} was used before, for other contents"
                inbox.bury(session, one.incoming, reason, self._clock())
                log.error("message_id_reused", message_id=message_id)

    def _insist_on_same_contents(self, session: Session, delivery: Delivery) -> None:
        known = inbox.digests(session, [delivery.envelope.id])
        if known.get(delivery.envelope.id) != delivery.envelope.digest():
            raise Invalid(
                "idempotency_key_reused",
                "This Idempotency-Key was used for other contents; send a new key.",
            )

    # One message at a time.

    def _take_singly(self, delivery: Delivery) -> None:
        try:
            self._transactions.run(lambda s: self._process(s, [delivery]), numbers=1)
        except WorkFailed as failure:
            if isinstance(failure.reason, Reject):
                self._bury(delivery.incoming, str(failure.reason))
                return
            with self._transactions.bookkeeping() as session:
                inbox.begin_alone(session, delivery, self._clock())
            self._record_failure(delivery.envelope.id, failure.reason)

    def _take_suspect(self, delivery: Delivery) -> None:
        """A message that may have killed the process: its attempt is committed before it runs."""
        with self._transactions.bookkeeping() as session:
            ours = inbox.begin_alone(session, delivery, self._clock())
            if not ours:
                self._check_repeats(session, [delivery], [])
        if ours:
            self._run_alone(delivery.envelope.id, delivery)

    def _run_alone(self, message_id: str, delivery: Delivery) -> None:
        def work(session: Session) -> None:
            row = inbox.lock_waiting(session, message_id)
            if row is None or row.body != delivery.incoming.body:
                return  # It was dealt with while this one waited, and its id may be another's now.
            if delivery.envelope.id != message_id:
                self._claim_own_id(session, delivery)
            self._handle(session, [delivery], message_id)
            inbox.finish(row)
            session.flush()

        try:
            try:
                self._transactions.run(work, numbers=1)
            except WorkFailed as failure:
                self._record_failure(message_id, failure.reason)
        except InfrastructureDown:
            self._in_hand.append((message_id, delivery))
            self.on_waiting()
            raise

    def _claim_own_id(self, session: Session, delivery: Delivery) -> None:
        """A refused message that is retried takes its own id now; it must not have been used.

        Otherwise the message has had its effect by another way, or another message has its id:
        it dies once more with that reason, rather than be done twice or pass for done.
        """
        if not self._claim(session, [delivery]):
            raise Reject(inbox.meanwhile(session, delivery))

    def _lay_out(self, incoming: Incoming) -> None:
        """Keep what the broker gave up as a dead letter, unless it is known here already.

        One that is done had its effect before the broker heard so; one that waits or is dead is
        in the inbox already. Neither needs keeping twice.
        """
        reason = f"the broker gave it up: {incoming.given_up}"
        try:
            delivery = self._reader.read(incoming)
        except Malformed as refusal:
            self._bury(incoming, f"{reason}; besides, {refusal}")
            return
        with self._transactions.bookkeeping() as session:
            kept = inbox.lay_out(session, delivery, reason, self._clock())
            if not kept:
                self._check_repeats(session, [delivery], [])
        log.warning("message_given_up", message_id=delivery.envelope.id, known_already=not kept)

    def _record_failure(self, message_id: str, reason: Exception) -> None:
        with self._transactions.bookkeeping() as session:
            row = inbox.lock_waiting(session, message_id)
            if row is not None and isinstance(reason, Reject):
                inbox.refuse(session, row, str(reason), self._clock())
            elif row is not None:
                inbox.fail(row, f"{type(reason).__name__}: {reason}", self._clock())
        self.on_waiting()
        log.warning("message_failed", message_id=message_id, error=type(reason).__name__)

    def _bury(self, incoming: Incoming, reason: str) -> None:
        with self._transactions.bookkeeping() as session:
            inbox.bury(session, incoming, reason, self._clock())
        log.warning("message_refused", routing_key=incoming.routing_key[:80])
