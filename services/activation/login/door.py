"""The one door of a process, for programs and for people: both wait in one queue, and count alike.

A way around a limit would be no limit.
"""

from asyncio import Future
from functools import partial

import structlog

from services.activation.login.entry import Entry
from services.activation.login.forgotten import forget_password
from services.activation.login.limits import Limits
from services.activation.login.log_in import (
    Admission,
    Choice,
    admit,
    change_password,
    choose_password,
)
from services.activation.login.strength import Judgement, judge
from services.activation.login.turns import Turns
from shared.host.runtime import Runtime

log = structlog.get_logger()


class Door:
    """Takes log-ins and passwords in turn; its methods raise what the functions behind them do."""

    def __init__(self) -> None:
        self._turns, self._limits = Turns(), Limits()

    async def admit(self, runtime: Runtime, entry: Entry) -> Admission:
        """Let a customer in."""
        return await self._turns.run(entry.address, partial(admit, runtime, entry, self._limits))

    async def change(self, runtime: Runtime, entry: Entry, new: str, language: str = "nl") -> None:
        """Give a customer who knows their password another."""
        work = partial(change_password, runtime, entry, new, self._limits, language)
        await self._turns.run(entry.address, work)

    async def choose(
        self, runtime: Runtime, choice: Choice, new: str, address: str, language: str
    ) -> None:
        """Give a customer who was let in just now a password of their own."""
        work = partial(choose_password, runtime, choice, new, address, language)
        await self._turns.run(address, work)

    async def judge(self, password: str, names: tuple[str, ...], address: str) -> Judgement:
        """How hard a password is to guess."""
        return await self._turns.run(address, partial(judge, password, names))

    def forget(self, runtime: Runtime, login_name: str, address: str) -> None:
        """Have a fresh password sent to whoever may have one.

        Not waited for: how long it takes would tell whether there is such a customer.
        """
        work = partial(forget_password, runtime, login_name, address, self._limits)
        self._turns.start(address, work).add_done_callback(_log_failure)


def _log_failure(done: Future[None]) -> None:
    """Log what nobody waits for: whoever asked has had their answer."""
    if not done.cancelled() and (error := done.exception()) is not None:
        log.error("password_forgotten_failed", exc_info=error)
