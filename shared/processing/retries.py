"""When a failed message is tried again, and when it is given up."""

from datetime import timedelta

SCHEDULE = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
)
"""The pause after each failed attempt; after the last of them the message is dead."""

LEASE = timedelta(minutes=5)
"""How long a message that runs alone is left alone before it counts as having died: longer than
its longest run, which meets other transactions to the last and then takes as long as it may
(`transactions.RERUNS`, `lock_timeout`, `watch.LOOKS`)."""


def pause_after(attempts: int) -> timedelta | None:
    """The pause after this many failed attempts, or None when it was the last one."""
    return SCHEDULE[attempts - 1] if attempts <= len(SCHEDULE) else None
