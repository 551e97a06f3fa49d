"""A few threads for what takes a processor, and a short queue before them.

Log-ins wait here for each other, and for nobody else; nobody else waits for them. Whoever finds
the queue full is told when to come again.
"""

import asyncio
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from shared.base.errors import Unavailable

THREADS = 2
"""Each hash takes 19 MiB and a processor."""
PLACES = 64
"""Those in hand and those who wait: the last of them waits for about two seconds."""
PLACES_OF_ONE = 32
"""So many of them for one address, so that one stranger does not take them all."""
RETRY_AFTER = 2
NICENESS = 5

T = TypeVar("T")


class Turns:
    """Takes work in turn; for the thread of one event loop."""

    def __init__(
        self, threads: int = THREADS, places: int = PLACES, places_of_one: int = PLACES_OF_ONE
    ) -> None:
        self._threads = ThreadPoolExecutor(
            threads, thread_name_prefix="log-in", initializer=_step_back
        )
        self._places, self._places_of_one = places, places_of_one
        self._taken: Counter[str] = Counter()

    async def run(self, address: str, work: Callable[[], T]) -> T:
        """Do this work when its turn comes; returns what it returned.

        Raises:
            Unavailable: too many wait; it says when to come again.
            Exception: whatever the work raised.
        """
        return await asyncio.shield(self.start(address, work))

    def start(self, address: str, work: Callable[[], T]) -> "asyncio.Future[T]":
        """Have this work done when its turn comes, without waiting for it.

        Raises:
            Unavailable: as `run`.
        """
        if self._taken.total() >= self._places or self._taken[address] >= self._places_of_one:
            sentence = (
                "Het is nu te druk om in te loggen; probeer het over enkele seconden opnieuw."
            )
            raise Unavailable("too_busy", sentence, extra={"retry_after": RETRY_AFTER})
        # Where no thread can be begun, nobody takes a place.
        work_done = asyncio.get_running_loop().run_in_executor(self._threads, work)
        self._taken[address] += 1
        work_done.add_done_callback(lambda done: self._leave(address, done))
        return work_done

    def _leave(self, address: str, work_done: "asyncio.Future[T]") -> None:
        if not work_done.cancelled():
            work_done.exception()  # Whoever asked may be gone: then nobody else looks at it.
        self._taken[address] -= 1
        if self._taken[address] <= 0:
            del self._taken[address]


def _step_back() -> None:
    """Have the system run everybody else before this thread, where processors are scarce."""
    # Each thread of Linux has a niceness of its own; elsewhere it is the process' or is refused.
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
