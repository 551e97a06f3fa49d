"""Billing that renders and sends nothing, to compare: `… mailing run billing`."""

from infra import cli
from shared.notifications.delivery.sender import NotificationSender

if __name__ == "__main__":
    NotificationSender.deliver_due = lambda _self, limit=0: limit  # type: ignore[method-assign,assignment]
    cli.main()
