"""Every pause and lease of the product in one table: when what failed is tried again.

A subscription may have a policy of its own: `on(CollectionResult, book, retry=RetryPolicy(…))`.
"""

from dataclasses import dataclass
from datetime import timedelta

from shared.messaging.bus import PublishResult


@dataclass(frozen=True)
class RetryPolicy:
    """The pause after each failed attempt; after the last of them it has failed for good."""

    pauses: tuple[timedelta, ...]

    def pause_after(self, attempts: int) -> timedelta | None:
        """The pause after this many failed attempts, or None when it was the last one."""
        return self.pauses[attempts - 1] if attempts <= len(self.pauses) else None


def furthest_ahead(lease: timedelta, *policies: RetryPolicy) -> tuple[timedelta, ...]:
    """How far ahead a row can be due by its own rule, by how often it was tried, from never on.

    It is leased, or rests after so many failures. A row that is due later than that was written by
    a clock that was wrong, or has been set back since.
    """
    most = max((len(policy.pauses) for policy in policies), default=0)
    pauses = [[policy.pause_after(tried) for policy in policies] for tried in range(1, most + 1)]
    return (lease, *(max(lease, *filter(None, after)) for after in pauses))


def retry_after(*pauses: timedelta) -> RetryPolicy:
    """The policy with these pauses."""
    return RetryPolicy(pauses)


MESSAGE_RETRIES = retry_after(
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
)
"""For a message whose handler failed."""

NOTIFICATION_RETRIES = retry_after(
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
)
"""For a mail or text message that did not leave."""

PERHAPS_TAKEN_RETRIES = retry_after(timedelta(minutes=10), timedelta(hours=1))
"""For one that may have arrived: at most three copies. Each pause is longer than its provider's, so
that others show first whether that works."""

PROVIDER_PAUSES = (
    timedelta(seconds=1),
    timedelta(seconds=5),
    timedelta(seconds=15),
    timedelta(minutes=1),
    timedelta(minutes=5),
)
"""How long a provider is left alone after its first, second, … failure on end; the last stays."""

PUBLISH_PAUSES = {
    PublishResult.UNROUTABLE: timedelta(seconds=60),
    PublishResult.REFUSED: timedelta(seconds=5),
    PublishResult.UNKNOWN: timedelta(seconds=1),
}
"""How long an event rests after each kind of failure before the sweeper publishes it again."""

MESSAGE_LEASE = timedelta(minutes=5)
"""How long a message that runs isolated is left alone before it counts as having crashed: longer
than its longest run, which meets other transactions to the last and then takes as long as it may
(`unit_of_work.RERUNS`, `lock_timeout`, `watchdog.MAX_CHECKS`)."""

OUTBOX_LEASE = timedelta(seconds=30)
"""How long whoever wrote or swept an event is left alone with publishing it."""

NOTIFICATION_LEASE = timedelta(minutes=5)
"""How long whoever claimed a notification has for sending and marking it."""

MAX_CRASHES = 3
"""A message during which the process died so often on end is in a crash loop, and is dead."""
