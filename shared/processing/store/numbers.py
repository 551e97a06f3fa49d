"""Numbers for people: customer numbers, order references.

A process takes a block at a time (hi/lo), in a transaction of its own and before the batch begins,
so that replicas do not queue up behind one row. The price is a gap after a restart, which is
harmless: these are not invoice numbers, whose series Dutch tax law wants unbroken.
"""

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import Protocol

from sqlalchemy import Table, bindparam, select
from sqlmodel import Session, col

from shared.persistence.bulk import insert_into
from shared.persistence.database import Database
from shared.persistence.statements import Statement
from shared.processing.store.tables import NumberSeries

NUMBERS: Table = NumberSeries.__table__  # type: ignore[attr-defined]

BLOCK = 10
"""Numbers that a process takes at once for a single message."""

BLOCKS_UNDER_LOAD = 10
"""Under load a process takes enough for so many batches at once: each taking costs a commit."""


class Numbers(Protocol):
    """Gives each caller the next number of a series."""

    def take(self, series: str, message_id: str | None = None) -> int:
        """The next number, never given before; for a message the one that was foreseen for it."""

    def foresee(self, series: str, message_id: str) -> int:
        """The number that this message will be given, should its handler take one for it.

        So what waits for that number can be loaded before it is given.
        """


class NumberAllocator:
    """Numbers from the service's database, in stock for the transactions that are under way."""

    def __init__(self, database: Database, series: Sequence[str]) -> None:
        self._database = database
        self._stock: dict[str, deque[int]] = {name: deque() for name in series}
        self._reserved = 0
        self._lock = threading.Lock()
        self._of_thread = threading.local()

    @contextmanager
    def reserved(self, count: int) -> Iterator[None]:
        """Have `count` numbers of each series for a transaction that begins inside this block.

        No other transaction takes them meanwhile; what is not taken goes back into stock, what was
        only foreseen as well.
        """
        with self._lock:
            if count:
                self._stock_up(count)
            self._reserved += count
        try:
            with self._foreseeing() as foreseen:
                yield
        finally:
            with self._lock:
                self._reserved -= count
                for (series, _), number in reversed(foreseen.items()):
                    self._stock[series].appendleft(number)

    @contextmanager
    def _foreseeing(self) -> Iterator[dict[tuple[str, str], int]]:
        """What this thread's transaction foresees and does not take."""
        outer = self._foreseen
        foreseen: dict[tuple[str, str], int] = {}
        self._of_thread.foreseen = foreseen
        try:
            yield foreseen
        finally:
            self._of_thread.foreseen = outer

    @property
    def _foreseen(self) -> dict[tuple[str, str], int]:
        foreseen: dict[tuple[str, str], int] = getattr(self._of_thread, "foreseen", {})
        return foreseen

    def stock_up(self, count: int) -> None:
        """Have `count` numbers there for the next transaction, which need not wait for them then.

        When that fails, the next one hears of it.
        """
        if count:
            with self._lock, suppress(Exception):
                self._stock_up(count)

    def _stock_up(self, count: int) -> None:
        needed = self._reserved + count
        short = [name for name, stock in self._stock.items() if len(stock) < needed]
        if not short:
            return
        wanted = BLOCK if count == 1 else count * BLOCKS_UNDER_LOAD
        with self._database.begin() as session:
            lasts = [(name, _advance(session, name, wanted)) for name in sorted(short)]
        for name, last in lasts:
            self._stock[name].extend(range(last - wanted + 1, last + 1))

    @contextmanager
    def made_up(self, session: Session) -> Iterator[None]:
        """Have this thread take numbers that nobody was given or will find used: for a rehearsal.

        They are those after the last that any process took into stock, read and not written.
        """
        rows = session.execute(select(col(NumberSeries.name), col(NumberSeries.last)))
        lasts = {str(name): int(last) for name, last in rows}
        self._of_thread.made_up = dict.fromkeys(self._stock, 0) | lasts
        try:
            with self._foreseeing():
                yield
        finally:
            self._of_thread.made_up = None

    def foresee(self, series: str, message_id: str) -> int:
        """The number that this message will be given, should its handler take one for it."""
        foreseen = self._foreseen
        if (series, message_id) not in foreseen:
            foreseen[series, message_id] = self.take(series)
        return foreseen[series, message_id]

    def take(self, series: str, message_id: str | None = None) -> int:
        """The next number of a series that the service declared, or the one that was foreseen."""
        if message_id is not None and (series, message_id) in self._foreseen:
            return self._foreseen.pop((series, message_id))
        made_up: dict[str, int] | None = getattr(self._of_thread, "made_up", None)
        if made_up is not None:
            made_up[series] += 1
            return made_up[series]
        return self._stock[series].popleft()


def _advance(session: Session, name: str, count: int) -> int:
    statement = _advancing(session.get_bind().dialect.name)
    ((last,),) = statement.fetch(session, {"series": name, "count": count})
    return int(last)


@cache
def _advancing(dialect: str) -> Statement:
    """Made once: a lone event in ten waits for it. A new series begins at nothing."""
    series = bindparam("series", type_=NUMBERS.c.name.type)
    count = bindparam("count", type_=NUMBERS.c.last.type)
    begun = insert_into(NUMBERS, dialect).values(name=series, last=count)
    further = {"last": NUMBERS.c.last + begun.excluded.last}
    advanced = begun.on_conflict_do_update(index_elements=[NUMBERS.c.name], set_=further)
    return Statement(advanced.returning(NUMBERS.c.last))
