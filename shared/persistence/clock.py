"""The time of a service is its database's, so that all its replicas agree on what is due.

A lease that one process writes and another judges compares their clocks. These may be wrong, and
may jump; so neither is asked. The database's clock is asked now and then, and carried on in between
by a clock of the machine that only counts: no transaction pays a trip for the time.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from shared.persistence.database import Database

Clock = Callable[[], datetime]

CLOCK_TOLERANCE = timedelta(seconds=60)
"""How far two clocks may be apart before one of them is wrong."""

_COUNTS = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the machine sleeps, where there is such a clock (Linux)."""


def utc_now() -> datetime:
    """The clock on the wall."""
    return datetime.now(UTC)


def _seconds() -> float:
    return time.clock_gettime(_COUNTS)


@dataclass(frozen=True)
class Machine:
    """The two clocks of a machine: `now` is the one on the wall, `seconds` only counts."""

    now: Clock = utc_now
    seconds: Callable[[], float] = _seconds

    @classmethod
    def going_by(cls, clock: Clock) -> "Machine":
        """A machine whose every clock is this one, for whoever makes the time himself."""
        return cls(clock, lambda: clock().timestamp())


@dataclass(frozen=True)
class _Measurement:
    """What time it was when the machine had counted `at` seconds, give or take `doubt` seconds."""

    moment: datetime
    at: float
    doubt: float

    def moment_at(self, seconds: float) -> datetime:
        return self.moment + timedelta(seconds=seconds - self.at)


class DatabaseClock:
    """The clock of one database, as one process of a service knows it; a `Clock`.

    SQLite has none of its own: its time is that of the one process that uses it.
    """

    def __init__(self, database: Database, machine: Machine | None = None) -> None:
        self._database = database
        self._machine = machine or Machine()
        self._measured: _Measurement | None = None

    def __call__(self) -> datetime:
        """What time it is."""
        measured = self._measured
        if measured is None:
            return self._machine.now()
        return measured.moment_at(self._machine.seconds())

    def measure(self) -> None:
        """Ask the database.

        Raises:
            SQLAlchemyError: it is away; the time goes on as it did.
        """
        if self._database.is_sqlite:
            return
        new, known = self._measurement(), self._measured
        if known is not None:
            differs = abs((new.moment - known.moment_at(new.at)).total_seconds())
            # What lies within the doubt is no news: the time need not go to and fro for it.
            if differs <= new.doubt + known.doubt and new.doubt >= known.doubt:
                return
        self._measured = new

    def ahead(self) -> timedelta:
        """How far this machine's clock is ahead of the database's; less than nothing: behind."""
        return self._machine.now() - self()

    def _measurement(self) -> _Measurement:
        with self._database.read() as session:
            # What begins the transaction takes a trip of its own, which is not to be measured.
            session.execute(text("SELECT 1"))
            asked = self._machine.seconds()
            moment = session.execute(text("SELECT clock_timestamp()")).scalar_one()
            heard = self._machine.seconds()
        doubt = (heard - asked) / 2
        return _Measurement(moment.astimezone(UTC), heard - doubt, doubt)


def database_now(database: Database) -> datetime:
    """What time it is by a database, for whoever asks once.

    Raises:
        SQLAlchemyError: it is away.
    """
    clock = DatabaseClock(database)
    clock.measure()
    return clock()


def is_apart(ahead: timedelta) -> bool:
    """Whether clocks that differ by this are too far apart to be trusted."""
    return abs(ahead) > CLOCK_TOLERANCE
