"""The engine of one service, put together: what its threads, its HTTP and its tests drive."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from shared.base.errors import Conflict, KeyReused, Malformed, Problem, Reject
from shared.messaging.bus import Bus, Incoming
from shared.persistence.database import Database
from shared.processing.dead_letters import DeadLetters
from shared.processing.decoding import Decoder, PublisherRules
from shared.processing.effects import AnswerSink, Effects, OutboxSink, ScheduleSink, Sink
from shared.processing.handlers.messages import Effect, Message
from shared.processing.handlers.registry import HandlerRegistry, Subscription
from shared.processing.pipeline import Pipeline
from shared.processing.recovery import Recovery
from shared.processing.rehearsal import Rehearsal, Rehearsals
from shared.processing.retry_policy import MESSAGE_LEASE, furthest_ahead
from shared.processing.sharing import SharedTransactions
from shared.processing.store import inbox
from shared.processing.store.numbers import NumberAllocator, Numbers
from shared.processing.unit_of_work import Transactions, UnitOfWork, WorkFailed
from shared.processing.worker.periodic import Signal
from shared.processing.worker.publisher import OutboxPublisher
from shared.processing.worker.watchdog import Watchdog


@dataclass(frozen=True)
class Signals:
    """What wakes the engine's tasks: the broker has answered, something is unconfirmed, or due."""

    confirms: Signal = field(default_factory=Signal)
    unconfirmed: Signal = field(default_factory=Signal)
    due: Signal = field(default_factory=Signal)


class Engine:
    """Deals with one service's messages, each exactly once in its database.

    `resources` are what handlers may ask for by type, `series` the numbers they may take, `sinks`
    what stores the effects that the engine does not know.

    Raises:
        TypeError: a handler asks for what nobody provides, or a load for what is not there.
    """

    def __init__(
        self,
        name: str,
        subscriptions: Sequence[Subscription],
        *,
        database: Database,
        bus: Bus,
        clock: Callable[[], datetime],
        publishers: PublisherRules,
        resources: Mapping[type, object],
        series: Sequence[str] = (),
        sinks: Sequence[Sink] = (),
    ) -> None:
        self.name = name
        self._asked_at = -math.inf
        self.signals = signals = Signals()
        self.numbers = NumberAllocator(database, series)
        self.publisher = OutboxPublisher(
            bus,
            database,
            clock,
            on_result=signals.confirms.wake,
            on_unconfirmed=signals.unconfirmed.wake,
        )
        self.decoder = Decoder(name, subscriptions, publishers)
        self.dead_letters = DeadLetters(name, self.decoder)
        outbox = OutboxSink(name, self.publisher)
        own = (outbox, ScheduleSink(name, signals.due.wake), AnswerSink())
        self.transactions = Transactions(
            database, self.publisher, self.numbers, Effects(name, (*sinks, *own)), clock
        )
        handlers = HandlerRegistry(name, subscriptions, {**resources, Numbers: self.numbers})
        self.furthest_ahead = furthest_ahead(MESSAGE_LEASE, *handlers.retry_policies)
        self._watchdog = Watchdog(name)
        self._pipeline = Pipeline(handlers, self.dead_letters, self.transactions, self._watchdog)
        self._shared = SharedTransactions(self._execute_alone, self._execute_group)
        self.recovery = Recovery(
            self.decoder,
            handlers,
            self._pipeline,
            self.dead_letters,
            self.transactions,
            signals.due.wake,
        )
        self._rehearsals = Rehearsals(self.decoder, self._pipeline, self.transactions)

    def take(self, incoming: Sequence[Incoming]) -> None:
        """Deal with a batch of messages from the broker.

        When this returns, each message is processed, waiting with a due time, or dead with a
        reason; the caller may acknowledge it.

        Raises:
            InfrastructureDown: the database is away; no attempt was counted, call again later.
        """
        messages = self._decode(incoming)
        self._take_together([message for message in messages if not message.redelivered])
        for message in messages:
            if message.redelivered:
                self.recovery.take_redelivered(message)

    def take_unprocessable(self, incoming: Incoming, fault: Exception) -> None:
        """Keep a message that nothing here was prepared for as a dead letter: the last resort.

        Raises:
            InfrastructureDown: the database is away; call again later.
        """
        reason = Reject(f"it cannot be dealt with: {type(fault).__name__}: {fault}")
        self.recovery.reject(incoming, reason)

    def execute(self, message: Message) -> Sequence[Effect] | None:
        """Handle what a person asked for, in one transaction; returns the effects.

        Returns None when the same command, by its id, was handled before.

        Raises:
            Problem: it cannot be done; nothing was changed.
            InfrastructureDown: the database is away; the command may be given again.
        """
        with self._answering():
            return self._execute_alone(message)

    def execute_shared(self, message: Message) -> Sequence[Effect] | None:
        """The same for what comes in crowds: with others of the same person in one transaction.

        Raises:
            Problem: it cannot be done; nothing was changed, and the others are none the worse.
            InfrastructureDown: the database is away; the request may be made again.
        """
        with self._answering():
            return self._shared.execute(message)

    def execute_together(self, messages: Sequence[Message], next_id: str) -> None:
        """Handle what a person brought in one request, in one transaction: all of it or nothing.

        `next_id` is what one more of them would have had.

        Raises:
            Problem: one of them cannot be done; nothing was changed.
            InfrastructureDown: the database is away; the request may be made again.
        """
        with self._answering():
            self._pipeline.execute(messages, partial(_require_same_list, messages, next_id))

    def seconds_since_request(self) -> float:
        """Seconds since somebody last asked for something, and waited for the answer."""
        return time.monotonic() - self._asked_at

    def rehearse(self, letter_id: str, correction: bytes | None = None) -> Rehearsal:
        """What a retry of this dead letter would write and say, by running it and taking it back.

        Raises:
            NotDeadLettered: it cannot be retried now, or killed the process.
            WouldBeRejected: it would be rejected before any handler hears of it.
            InfrastructureDown: the database is away.
        """
        return self._rehearsals.rehearse(letter_id, correction)

    def run_due(self, limit: int = 50) -> int:
        """Run waiting messages whose time has come, at most `limit`; returns how many there were.

        Raises:
            InfrastructureDown: the database is away; the next call goes on with what is in hand.
        """
        return self.recovery.run_due(limit)

    def check_handlers(self) -> bool:
        """Break off every handler that takes too long; whether the process must end for it."""
        return self._watchdog.check(self.recovery.abort)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        self._asked_at = time.monotonic()
        with _told_to_person():
            yield

    def _execute_alone(self, message: Message) -> Sequence[Effect] | None:
        (effects,) = self._pipeline.execute([message], _require_same, numbers=1)
        return effects

    def _execute_group(self, messages: Sequence[Message]) -> Sequence[Sequence[Effect] | None]:
        return self._pipeline.execute(messages, _require_same, numbers=len(messages))

    def _decode(self, incoming: Sequence[Incoming]) -> list[Message]:
        """What can be read; what cannot, or was given up by the broker, is dealt with at once."""
        messages: list[Message] = []
        for delivered in incoming:
            if delivered.dead_lettered:
                self.recovery.take_dead_lettered(delivered)
                continue
            try:
                messages.append(self.decoder.decode(delivered))
            except Malformed as refusal:
                self.recovery.reject(delivered, refusal)
        return messages

    def _take_together(self, messages: Sequence[Message]) -> None:
        if not messages:
            return
        try:
            self._pipeline.run(messages)
        except WorkFailed:
            # One of them is at fault; alone, it costs only itself.
            for message in sorted(messages, key=lambda message: message.order):
                self.recovery.take_one(message)


def _require_same(work: UnitOfWork, repeats: Sequence[Message]) -> None:
    """An idempotency key stands for one command, whoever sends it again.

    Where its id does not stand for whom it is about, that may have become known meanwhile.
    """
    claimed = inbox.claimed(work.session, [message.envelope.id for message in repeats])
    for message in repeats:
        digest, subject = claimed[message.envelope.id]
        if message.envelope._replace(subject=subject).digest() != digest:
            raise KeyReused


def _require_same_list(
    whole: Sequence[Message], next_id: str, work: UnitOfWork, repeats: Sequence[Message]
) -> None:
    """A key that stands for a list stands for all of it: neither for more, nor for less."""
    if len(repeats) < len(whole) or inbox.claimed(work.session, [next_id]):
        raise KeyReused
    _require_same(work, repeats)


@contextmanager
def _told_to_person() -> Iterator[None]:
    """Say why a command failed: a rejection is a conflict with what is."""
    try:
        yield
    except WorkFailed as failure:
        reason = failure.reason
        if isinstance(reason, Reject) and not isinstance(reason, Problem):
            raise Conflict("not_possible", str(reason)) from reason
        # An error that is its own cause sends whoever follows the causes in circles.
        raise reason from None
