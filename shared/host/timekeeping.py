"""Keeps the time of one service, and notices when its machine's clock is another's."""

import structlog

from shared.persistence.clock import Clock, DatabaseClock, Machine, is_apart
from shared.persistence.database import Database

log = structlog.get_logger()


class Timekeeper:
    """A service's `clock`: its database's, unless it was given another by whoever makes the time.

    `machine` stands for the clocks of this machine.
    """

    def __init__(
        self,
        service: str,
        database: Database,
        clock: Clock | None = None,
        machine: Machine | None = None,
    ) -> None:
        self._service = service
        self._machine = machine or (Machine.going_by(clock) if clock else Machine())
        self._measured = None if clock else DatabaseClock(database, self._machine)
        self.clock: Clock = clock or self._measured or self._machine.now
        self._is_told = False
        self._looked_at = self._machine.seconds()

    def measure(self) -> None:
        """Ask the database what time it is, and log once when this machine has another.

        Raises:
            SQLAlchemyError: the database is away; the time goes on as it did.
        """
        if self._measured is None:
            return
        self._measured.measure()
        if self.apart != self._is_told:
            self._is_told = self.apart
            seconds = round(self._measured.ahead().total_seconds())
            tell = log.error if self.apart else log.info
            tell("clock_apart", service=self._service, apart=self.apart, seconds_ahead=seconds)

    @property
    def apart(self) -> bool:
        """Whether the clocks of machine and database differ so much that one of them is wrong."""
        return self._measured is not None and is_apart(self._measured.ahead())

    def not_ready_reason(self) -> str | None:
        """What is wrong with the clocks, in words; None when nothing is."""
        if self._measured is None or not self.apart:
            return None
        seconds = self._measured.ahead().total_seconds()
        side = "ahead of" if seconds > 0 else "behind"
        return (
            f"the clock of this machine is {abs(seconds):.0f} s {side} that of the database: "
            "set both right (NTP)"
        )

    def seconds_passed(self) -> float:
        """Seconds since this was last asked, or since the process began."""
        now = self._machine.seconds()
        passed, self._looked_at = now - self._looked_at, now
        return passed
