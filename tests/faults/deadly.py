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

from tests.crashes.leases import replace, shorten_leases

PAUSES = (timedelta(seconds=1), timedelta(seconds=2))
CHECK_SECONDS, MAX_CHECKS = 0.5, 6
MAX_CHECKS_AT_A_HOARD = 40
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

    def call(message: Any, *rest: Any) -> Any:
        if message.envelope.subject == subject:
            DEEDS[deed]()
        return handler(message, *rest)

    return call


def main(deed: str, subject: str) -> None:
    """Put the deed in place, and run."""
    shorten_leases()
    from shared.processing import retry_policy
    from shared.processing.worker import watchdog

    # The one policy of all subscriptions, which each of them holds by itself.
    object.__setattr__(retry_policy.MESSAGE_RETRIES, "pauses", PAUSES)
    checks = MAX_CHECKS_AT_A_HOARD if deed == "hoard" else MAX_CHECKS
    replace(watchdog, CHECK_SECONDS=CHECK_SECONDS, MAX_CHECKS=checks)
    from infra.cli import main as stappenplan
    from infra.run import command

    replace(command, STANDSTILL=STANDSTILL)
    if deed == "hoard":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    arm(deed, subject)
    stappenplan()


def arm(deed: str, subject: str) -> None:
    """Have the handlers of registration do the deed over the one message."""
    from shared.processing.handlers import registry

    bind = registry.HandlerRegistry.__init__

    def bind_deadly(self: registry.HandlerRegistry, service: str, *rest: Any) -> None:
        bind(self, service, *rest)
        if service == "registration":
            calls = self._calls.items()
            self._calls = {name: deadly(call, deed, subject) for name, call in calls}

    registry.HandlerRegistry.__init__ = bind_deadly  # type: ignore[assignment,method-assign]


if __name__ == "__main__":
    main(os.environ["STAPPENPLAN_TESTS_DEED"], os.environ["STAPPENPLAN_TESTS_DEADLY"])
