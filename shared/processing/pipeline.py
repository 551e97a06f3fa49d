"""THE transaction: seen, done and said in one commit.

A batch of messages is claimed, their entities are loaded with one query each, every handler runs,
what they returned is stored by its sinks, and all of it commits at once.
"""

from collections.abc import Callable, Sequence
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from shared.base.crash_points import reached
from shared.processing.dead_letters import DeadLetters
from shared.processing.handlers.loading import Entities
from shared.processing.handlers.messages import Effect, Message, Now
from shared.processing.handlers.registry import HandlerRegistry
from shared.processing.store import acts, inbox
from shared.processing.store.entities import fetch
from shared.processing.unit_of_work import Transactions, UnitOfWork
from shared.processing.worker.watchdog import Watchdog


class Pipeline:
    """Runs messages through one service's handlers, each exactly once in its database."""

    def __init__(
        self,
        handlers: HandlerRegistry,
        dead_letters: DeadLetters,
        transactions: Transactions,
        watchdog: Watchdog,
    ) -> None:
        self._handlers = handlers
        self._dead_letters = dead_letters
        self._transactions = transactions
        self._watchdog = watchdog

    def run(self, messages: Sequence[Message]) -> None:
        """Process a batch in one transaction.

        The order keeps replicas that lock the same rows from deadlocking.

        Raises:
            InfrastructureDown: the database is away; nothing was changed.
            WorkFailed: one of them is at fault; nothing was changed.
        """
        ordered = sorted(messages, key=lambda message: message.order)
        self._transactions.run(partial(self.process, messages=ordered), numbers=len(ordered))

    def process(self, work: UnitOfWork, messages: Sequence[Message]) -> None:
        """Claim those that are new, handle them, and reject what only pretends to be known."""
        new, entities = self._claim(work, messages)
        self._run(work, new, entities)
        self._dead_letters.reject_conflicting_repeats(work, messages, new)

    def handle(
        self, work: UnitOfWork, messages: Sequence[Message], key: str
    ) -> list[Sequence[Effect]]:
        """Load, run the handlers, store; returns each message's effects.

        They are claimed already; `key` is the id under which the inbox has them.
        """
        find = partial(fetch, work.session)
        entities = self._handlers.load(messages, find, Now(work.now))
        return self._run(work, messages, entities, key)

    def _claim(
        self, work: UnitOfWork, messages: Sequence[Message]
    ) -> tuple[Sequence[Message], Entities]:
        """Those that are new; and what all need, which is asked for on the trip that claims them.

        A repeat is rare, and what it would have needed is left alone.
        """
        claim = inbox.Claim(work.session, messages, work.now)
        find = partial(fetch, work.session, claim=claim)
        try:
            entities = self._handlers.load(messages, find, Now(work.now))
        except Exception as error:
            # Who claims again finds what is claimed here already, and takes it for handled.
            if claim.broke_off or isinstance(error, SQLAlchemyError):
                raise
            # Perhaps what a repeat needs cannot be told any more: it is none the worse for that.
            new = claim.new
            if len(new) == len(messages):
                raise
            return new, self._handlers.load(new, partial(fetch, work.session), Now(work.now))
        return claim.new, entities

    def _run(
        self,
        work: UnitOfWork,
        messages: Sequence[Message],
        entities: Entities,
        key: str | None = None,
    ) -> list[Sequence[Effect]]:
        """Run the handlers and store what they changed and returned; the effects of each."""
        if not messages:
            return []
        reached("handlers.before")
        with self._watchdog.watch(work.session, key) as execution:
            caused = self._handlers.run(messages, entities, Now(work.now), execution)
            reached("handlers.after")
            work.store(caused, entities)
        return [effects for _, effects in caused]

    def execute(
        self,
        messages: Sequence[Message],
        on_repeats: Callable[[UnitOfWork, Sequence[Message]], None],
        *,
        numbers: int = 0,
    ) -> Sequence[Sequence[Effect] | None]:
        """Handle messages of one person at their word, all or none; returns the effects of each.

        None stands for one that was handled before, by its id; `on_repeats` looks at those.
        `numbers` of each series are reserved. A large list must not use up a year's for nothing.

        Raises:
            InfrastructureDown: the database is away; nothing was changed.
            WorkFailed: one of them cannot be done; nothing was changed.
        """
        ordered = sorted(messages, key=lambda message: message.order)

        def work(unit: UnitOfWork) -> Sequence[Sequence[Effect] | None]:
            new, entities = self._claim(unit, ordered)
            ids = [message.envelope.id for message in new]
            if repeats := [message for message in ordered if message.envelope.id not in ids]:
                on_repeats(unit, repeats)
            for message in new:
                unit.actor = message.person.name if message.person else None
            acts.record_messages(unit.session, new, unit.now)
            effects = dict(zip(ids, self._run(unit, new, entities), strict=True))
            return [effects.get(message.envelope.id) for message in messages]

        return self._transactions.run(work, numbers=numbers)
