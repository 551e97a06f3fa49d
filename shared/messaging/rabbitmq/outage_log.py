"""What is logged while the broker is away: the first failure, then one a minute, then its end.

A service has up to three connections, each tries again and again, and each failure says the same.
"""

import time
from collections.abc import Callable
from typing import Any

CHANNEL_CLOSED = "broker_channel_closed"
REMIND_SECONDS = 60.0
"""Between one line and the next, while a service does without its broker."""

STEADY_SECONDS = 10.0
"""After so long on every connection a failure is a new one, and told at once."""


class OutageLog:
    """Tells of the connections of one service together; on the thread of the connections."""

    def __init__(self, log: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._down: set[str] = set()
        self._failures = 0
        self._told_at: dict[bool, float] = {}
        """When each was told last: that the broker is away, and that it closed a channel."""
        self._up_since: float | None = None
        self._is_told = True
        """Whether the line of before, if there is one, says that the broker is away."""

    def expect(self, connection: str) -> None:
        """Note a connection that is not there yet."""
        self._down.add(connection)

    def failed(self, event: str, connection: str, **fields: object) -> None:
        """Note that a connection, or its channel, is lost or was not made."""
        now = self._clock()
        is_new = self._up_since is not None and now - self._up_since >= STEADY_SECONDS
        self._up_since = None
        self._down.add(connection)
        self._failures += 1
        # A channel is closed by a broker that is there, for a reason that no outage explains.
        of_channel = event == CHANNEL_CLOSED
        told_at = self._told_at.get(of_channel)
        if is_new or told_at is None or now - told_at >= REMIND_SECONDS:
            self._log.warning(event, connection=connection, failures=self._failures, **fields)
            self._told_at[of_channel] = now
            self._is_told, self._failures = True, 0

    def ready(self, connection: str, **fields: object) -> None:
        """Note that a connection does what it is for; with the last of them it is told."""
        self._down.discard(connection)
        if self._down or self._up_since is not None:
            return
        self._up_since = self._clock()
        if self._is_told:
            self._is_told = False
            self._log.info("broker_connected", connection=connection, **fields)
