"""Billing with another way of writing letters, to compare: `… mailing WAY run billing`."""

import sys

from infra import cli
from shared.notifications.delivery.sender import NotificationSender
from shared.notifications.rendering import pool


def _deliver_nothing(self: NotificationSender, limit: int = 0) -> int:
    """Nothing is sent, and nothing was due."""
    return 0


def change(way: str) -> None:
    """`none` writes and sends nothing; `here` writes all in this process; `apart` as shipped."""
    if way == "none":
        NotificationSender.deliver_due = _deliver_nothing  # type: ignore[method-assign]
    elif way == "here":
        pool.INLINE_LIMIT = sys.maxsize


if __name__ == "__main__":
    change(sys.argv.pop(1))
    cli.main()
