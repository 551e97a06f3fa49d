"""`stappenplan`, but with one message that is the end of its consumer: the tests' own program.

STAPPENPLAN_TESTS_DEADLY names the onboarding whose message it is, for registration alone, and
STAPPENPLAN_TESTS_DEED what its handler does. As in `tests.crashes.armed`, what the product waits
for by the minute is seconds here; everything else is the very same program.
"""

import os
import re
import resource
import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.faults.hasty import shorten_leases

SCHEDULE = (timedelta(seconds=1), timedelta(seconds=2))
LOOK_SECONDS, LOOKS = 0.5, 6
LOOKS_AT_A_HOARD = 40
"""To fill that memory takes a moment, on a busy machine more than three seconds."""

STANDSTILL = 8.0
MEMORY = 3 << 30
"""Bytes of address space that a greedy process may have, as `ulimit -v` would set it."""


def hang() -> None:
    """Wait for what never comes."""
    threading.Event().wait()


def burn() -> None:
    """Go round in circles."""
    while True:
        pass


def freeze() -> None:
    """Search in a way that never ends, and lets no other thread run meanwhile."""
    re.fullmatch(r"(a+)+b", "a" * 60)


def hoard() -> None:
    """Take all the memory there is."""
    kept = []
    while True:
        kept.append(bytes(1 << 20))


DEEDS: dict[str, Callable[[], object]] = {
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "exit": lambda: os._exit(0),
    "hang": hang,
    "burn": burn,
    "freeze": freeze,
    "hoard": hoard,
}


def deadly(handler: Callable[..., Any], deed: str, subject: str) -> Callable[..., Any]:
    """A handler that does its deed when the message is the one."""

    def call(delivery: Any, *rest: Any) -> Any:
        if delivery.envelope.subject == subject:
            DEEDS[deed]()
        return handler(delivery, *rest)

    return call


def main(deed: str, subject: str) -> None:
    """Put the deed in place, and run."""
    shorten_leases()
    from shared.processing.worker import retry_policy, watchdog

    retry_policy.SCHEDULE = SCHEDULE
    watchdog.LOOK_SECONDS = LOOK_SECONDS
    watchdog.LOOKS = LOOKS_AT_A_HOARD if deed == "hoard" else LOOKS
    from infra.cli import main as stappenplan
    from infra.run import command
    from shared.processing.handlers.registry import HandlerRegistry

    command.STANDSTILL = STANDSTILL
    if deed == "hoard":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    wire = HandlerRegistry.__init__

    def wired(self: HandlerRegistry, service: Any, numbers: Any) -> None:
        wire(self, service, numbers)
        if service.name == "registration":
            calls = self._calls
            self._calls = {name: deadly(one, deed, subject) for name, one in calls.items()}

    HandlerRegistry.__init__ = wired  # type: ignore[method-assign]
    stappenplan()


if __name__ == "__main__":
    main(os.environ["STAPPENPLAN_TESTS_DEED"], os.environ["STAPPENPLAN_TESTS_DEADLY"])
