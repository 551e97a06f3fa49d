"""A rehearsed retry: what a dead letter would write and say if it were run now.

The letter goes through the very pipeline that would run it, its statements and constraints
included, in a transaction that is rolled back: handlers are pure, and what sinks do beyond the
transaction waits for a commit that never comes. So nothing is written, published, mailed or
scheduled; no id is claimed, no attempt counted, no number used up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import SQLModel

from shared.persistence.rows import changes_of
from shared.processing import resolutions
from shared.processing.dead_letters import DeadLetters, is_permanent
from shared.processing.decoding import Decoder
from shared.processing.handlers.loading import Entities
from shared.processing.handlers.messages import Effect, Message
from shared.processing.handlers.registry import Caused
from shared.processing.pipeline import Pipeline
from shared.processing.resolutions import NotDeadLettered, WouldBeRejected
from shared.processing.store import inbox
from shared.processing.store.tables import Inbox
from shared.processing.unit_of_work import Transactions, UnitOfWork, WorkFailed


@dataclass(frozen=True)
class RowChange:
    """One row that would be written: new, or which of its fields would change, and how.

    `fields` gives what stands in each before and after; before a new row there is nothing.
    """

    table: str
    key: str
    is_new: bool
    fields: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Rehearsal:
    """What would come of a letter: what it would write and say, or what it would die of.

    `error` is in the words in which it would be recorded. A `permanent` one would have the letter
    dead at once; after any other it would be tried again by its subscription's policy.
    """

    message: Message
    changes: Sequence[RowChange] = ()
    effects: Sequence[Effect] = ()
    error: str | None = None
    permanent: bool = False


@dataclass
class _Seen:
    changes: list[RowChange] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)


class _ObservedWork(UnitOfWork):
    """A transaction that tells what it is about to write."""

    __slots__ = ("seen",)

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.seen = _Seen()

    def store(self, caused: Sequence[Caused], entities: Entities | None = None) -> None:
        """Take note of every row and effect, then store them."""
        if entities is not None:
            self.seen.changes += [_changed(row) for row in entities.loaded if changes_of(row)]
            self.seen.changes += [_added(row) for rows in entities.added for row in rows]
        self.seen.effects += [effect for _, effects in caused for effect in effects]
        super().store(caused, entities)


class Rehearsals:
    """Rehearses one service's dead letters."""

    def __init__(
        self,
        decoder: Decoder,
        pipeline: Pipeline,
        transactions: Transactions,
    ) -> None:
        self._decoder = decoder
        self._pipeline = pipeline
        self._transactions = transactions

    def rehearse(self, letter_id: str, correction: bytes | None = None) -> Rehearsal:
        """What would come of a retry of this letter, with `correction` in the place of its body.

        Raises:
            NotDeadLettered: there is none, it is not dead, its own id was used meanwhile, or it
                killed the process: a rehearsal would do so, too.
            WouldBeRejected: it would be rejected before any handler hears of it.
            InfrastructureDown: the database is away.
        """
        message = self._read(letter_id, correction)

        def work(unit: _ObservedWork) -> None:
            if message.envelope.id != letter_id and not inbox.claim(
                unit.session, [message], unit.now
            ):
                raise NotDeadLettered(DeadLetters.id_conflict_reason(unit.session, message))
            self._pipeline.handle(unit, [message], letter_id)

        try:
            seen = self._transactions.rehearse(_ObservedWork, work).seen
        except WorkFailed as failure:
            return _failed(message, failure.reason)
        return Rehearsal(message, seen.changes, seen.effects)

    def _read(self, letter_id: str, correction: bytes | None) -> Message:
        with self._transactions.reading() as session:
            row = session.get(Inbox, letter_id)
            if row is None:
                raise NotDeadLettered(f"there is no dead message {letter_id}")
            if row.crashes:
                raise NotDeadLettered(
                    f"{letter_id} killed the process, or had to be broken off: a rehearsal would "
                    "do the same; correct the program first, then retry it"
                )
            return resolutions.read_anew(session, self._decoder, row, correction)


def _failed(message: Message, reason: Exception) -> Rehearsal:
    if isinstance(reason, NotDeadLettered | WouldBeRejected):
        raise reason
    permanent = is_permanent(reason)
    error = str(reason) if permanent else f"{type(reason).__name__}: {reason}"
    return Rehearsal(message, error=error, permanent=permanent)


def _changed(row: SQLModel) -> RowChange:
    """Which fields of a row that was loaded are others now."""
    fields = {name: (before, getattr(row, name)) for name, before in changes_of(row).items()}
    return RowChange(_table(row), _key(row), False, fields)


def _added(row: SQLModel) -> RowChange:
    names = row.__table__.columns.keys()  # type: ignore[attr-defined]
    values = {name: getattr(row, name) for name in names}
    fields = {name: (None, value) for name, value in values.items() if value is not None}
    return RowChange(_table(row), _key(row), True, fields)


def _table(row: SQLModel) -> str:
    return str(row.__tablename__)


def _key(row: SQLModel) -> str:
    keys = row.__table__.primary_key.columns.keys()  # type: ignore[attr-defined]
    return " ".join(str(getattr(row, name)) for name in keys)
