"""Running work in one transaction, and telling whose fault it is when that fails."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from shared.crash_points import reached
from shared.database import Database, Trouble, diagnose
from shared.errors import InfrastructureDown, Problem
from shared.processing.numbers import StockedNumbers
from shared.processing.outbox import OutboxRelay
from shared.processing.speech import Speech

log = structlog.get_logger()

RERUNS = 5
"""How often work that met another transaction runs again before it counts as failed."""

T = TypeVar("T")


class WorkFailed(Exception):
    """A handler, or a statement that it led to, failed; `reason` is what it raised."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(f"{type(reason).__name__}: {reason}")
        self.reason = reason


class Transactions:
    """Begins, commits and repeats transactions for one service."""

    def __init__(
        self, database: Database, relay: OutboxRelay, speech: Speech, numbers: StockedNumbers
    ) -> None:
        self._database = database
        self._relay = relay
        self._speech = speech
        self._numbers = numbers

    def run(self, work: Callable[[Session], T], *, numbers: int = 0) -> T:
        """Run `work` and commit, then publish what it said.

        `numbers` is how many numbers of each series it may need. Work that met another
        transaction runs again from the start.

        Raises:
            InfrastructureDown: the database is away; nothing was changed.
            Problem: the work said so to a person; nothing was changed.
            WorkFailed: the work itself is at fault; nothing was changed.
        """
        for rerun in range(RERUNS + 1):
            try:
                return self._once(work, numbers)
            except SQLAlchemyError as error:
                trouble = diagnose(error)
                if trouble is Trouble.DOWN:
                    raise InfrastructureDown(type(error).__name__) from error
                if trouble is Trouble.MESSAGE or rerun == RERUNS:
                    raise WorkFailed(error) from error
                log.info("transaction_rerun", reason=type(error).__name__)
            except (InfrastructureDown, Problem):
                raise
            except Exception as error:
                raise WorkFailed(error) from error
        raise AssertionError("the last rerun returns or raises")

    def _once(self, work: Callable[[Session], T], numbers: int) -> T:
        with (
            self._numbers.promised(numbers),
            self._relay.settling() as outcomes,
            self._database.begin() as session,
        ):
            self._relay.mark(session, outcomes)
            result = work(session)
            reached("commit.before")
        reached("commit.after")
        self._speech.committed(session)
        return result

    @contextmanager
    def bookkeeping(self) -> Iterator[Session]:
        """A transaction for our own tables, in which only the database can be at fault.

        Raises:
            InfrastructureDown: the database is away or busy; nothing was changed.
        """
        with self.infrastructure(), self._database.begin() as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads.

        Raises:
            InfrastructureDown: the database is away.
        """
        with self.infrastructure(), self._database.read() as session:
            yield session

    @contextmanager
    def infrastructure(self) -> Iterator[None]:
        """Turn a database that is away or busy into `InfrastructureDown`."""
        try:
            yield
        except SQLAlchemyError as error:
            if diagnose(error) is Trouble.MESSAGE:
                raise
            raise InfrastructureDown(type(error).__name__) from error
