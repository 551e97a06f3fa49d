"""The one transaction: work runs in it, again if need be, and whose fault a failure is."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from shared.base.crash_points import reached
from shared.base.errors import InfrastructureDown
from shared.persistence.bulk import insert_entities
from shared.persistence.changes import write_changes
from shared.persistence.database import Database, Trouble, diagnose
from shared.persistence.faults import in_words
from shared.persistence.statements import settle
from shared.processing.handlers.loading import Entities
from shared.processing.handlers.registry import Caused
from shared.processing.store.numbers import NumberAllocator
from shared.processing.worker.publisher import OutboxPublisher

log = structlog.get_logger()

RERUNS = 5
"""How often work that met another transaction runs again before it counts as failed."""

T = TypeVar("T")
U = TypeVar("U", bound="UnitOfWork")


class WorkFailed(Exception):
    """A handler, or a statement that it led to, failed; `reason` is what it raised."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(f"{type(reason).__name__}: {reason}")
        self.reason = reason


class UnitOfWork:
    """One transaction in hand, and what is to be done once it has committed.

    `actor` is the name of the person who asked for it, if one did: the events of this very
    transaction bear it.
    """

    __slots__ = ("_after_commit", "_clock", "_sinks", "actor", "session")

    def __init__(
        self, session: Session, clock: Callable[[], datetime], sinks: "EffectSinks"
    ) -> None:
        self.session = session
        self.actor: str | None = None
        self._clock = clock
        self._sinks = sinks
        self._after_commit: list[Callable[[], None]] = []

    @property
    def now(self) -> datetime:
        """The moment by the service's clock: what waited for a lock is later than who held it."""
        return self._clock()

    def store(self, caused: Sequence[Caused], entities: Entities | None = None) -> None:
        """Store what handlers added and changed, and each kind of effect by its sink."""
        if entities is not None:
            for added in entities.added:
                insert_entities(self.session, added)
            write_changes(self.session, entities.loaded)
        self._sinks.store(self, caused)

    def after_commit(self, action: Callable[[], None]) -> None:
        """Have something done once this has committed; it is not done otherwise."""
        self._after_commit.append(action)

    def committed(self) -> None:
        """Do what waited for the commit, all of it: nobody may be told of a failure any more."""
        for action in self._after_commit:
            try:
                action()
            except Exception:
                log.exception("after_commit_failed")


class EffectSinks(Protocol):
    """Stores effects in a transaction, each kind in its own way."""

    def store(self, work: UnitOfWork, caused: Sequence[Caused]) -> None:
        """Store them; what follows the commit is left with `work.after_commit`."""


class Transactions:
    """Begins, commits and repeats transactions for one service."""

    def __init__(
        self,
        database: Database,
        publisher: OutboxPublisher,
        numbers: NumberAllocator,
        sinks: EffectSinks,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._publisher = publisher
        self._numbers = numbers
        self._sinks = sinks
        self._clock = clock

    def run(self, work: Callable[[UnitOfWork], T], *, numbers: int = 0) -> T:
        """Run `work` and commit, then do what waited for the commit; returns what it returned.

        `numbers` is how many numbers of each series it may need. Work that met another
        transaction runs again from the start.

        Raises:
            InfrastructureDown: the database is away; nothing was changed.
            WorkFailed: the work itself is at fault; nothing was changed.
        """
        return _with_reruns(lambda: self._once(work, numbers))

    def rehearse(
        self,
        begin: Callable[[Session, Callable[[], datetime], "EffectSinks"], U],
        work: Callable[[U], None],
    ) -> U:
        """Run `work` as `run` would, and take it all back: nothing is written, nothing follows.

        `begin` makes the unit of work, which is returned for what it has seen. Numbers are made up:
        they are beyond all that were given, and none is used up.

        Raises:
            InfrastructureDown: the database is away.
            WorkFailed: the work itself is at fault.
        """
        return _with_reruns(lambda: self._once_rolled_back(begin, work))

    def _once_rolled_back(
        self,
        begin: Callable[[Session, Callable[[], datetime], "EffectSinks"], U],
        work: Callable[[U], None],
    ) -> U:
        with self._database.begin() as session, self._numbers.made_up(session):
            unit = begin(session, self._clock, self._sinks)
            work(unit)
            settle(session)  # What only the database would refuse.
            session.rollback()
        return unit

    def _once(self, work: Callable[[UnitOfWork], T], numbers: int) -> T:
        with (
            self._numbers.reserved(numbers),
            self._publisher.pending_confirms() as results,
            self._database.begin() as session,
        ):
            unit = UnitOfWork(session, self._clock, self._sinks)
            self._publisher.mark(session, results)
            result = work(unit)
            reached("commit.before")
            session.commit()
            reached("commit.after")
            # At once: to put the connection away takes its time, too.
            unit.committed()
        self._numbers.stock_up(numbers)
        return result

    @contextmanager
    def internal_transaction(self) -> Iterator[UnitOfWork]:
        """A transaction for our own tables, in which only the database can be at fault.

        Raises:
            InfrastructureDown: the database is away or busy; nothing was changed.
        """
        with translate_errors(), self._database.begin() as session:
            unit = UnitOfWork(session, self._clock, self._sinks)
            yield unit
        unit.committed()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads.

        Raises:
            InfrastructureDown: the database is away.
        """
        with translate_errors(), self._database.read() as session:
            yield session


def _with_reruns(once: Callable[[], T]) -> T:
    """Work that met another transaction runs again from the start, so and so often.

    Raises:
        InfrastructureDown: the database is away.
        WorkFailed: the work itself is at fault.
    """
    for rerun in range(RERUNS + 1):
        try:
            return once()
        except SQLAlchemyError as error:
            trouble = diagnose(error)
            if trouble is Trouble.DOWN:
                raise InfrastructureDown(in_words(error)) from error
            if trouble is Trouble.MESSAGE or rerun == RERUNS:
                raise WorkFailed(error) from error
            log.info("transaction_rerun", reason=type(error).__name__)
        except InfrastructureDown:
            raise
        except Exception as error:
            raise WorkFailed(error) from error
    raise AssertionError("the last rerun returns or raises")


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn a database that is away or busy into `InfrastructureDown`."""
    try:
        yield
    except SQLAlchemyError as error:
        if diagnose(error) is Trouble.MESSAGE:
            raise
        raise InfrastructureDown(in_words(error)) from error
