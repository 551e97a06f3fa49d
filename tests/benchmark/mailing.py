"""Billing with another way of rendering mails, to compare: `… mailing WAY run billing …`."""

import sys

from infra import cli
from shared.notifications.delivery.sender import NotificationSender
from shared.notifications.rendering import pool


def change(way: str) -> None:
    """`none` renders and sends nothing; `inline` renders all in this process; `pool` as shipped."""
    if way == "none":
        NotificationSender.deliver_due = lambda _self, limit=0: limit  # type: ignore[method-assign,assignment]
    elif way == "inline":
        pool.INLINE_LIMIT = sys.maxsize


if __name__ == "__main__":
    change(sys.argv.pop(1))
    cli.main()
