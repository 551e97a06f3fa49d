"""Billing with another way of writing letters, to compare: `… mailing WAY run billing`."""

import sys

from infra import cli
from shared.notifications.delivery.sender import NotificationSender
from shared.notifications.rendering import pool


def change(way: str) -> None:
    """`none` writes and sends nothing; `here` writes all in this process; `apart` as shipped."""
    if way == "none":
        NotificationSender.deliver_due = lambda _self, _limit=0: 0  # type: ignore[method-assign]
    elif way == "here":
        pool.FEW = sys.maxsize


if __name__ == "__main__":
    change(sys.argv.pop(1))
    cli.main()
