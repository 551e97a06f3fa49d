"""`stappenplan`, but what a dead process had claimed is free for others after seconds."""

from datetime import timedelta

LEASE = timedelta(seconds=3)


def shorten_leases() -> None:
    """Have every lease end after three seconds; to be called before the product is loaded."""
    from shared.processing.worker import retry_policy

    retry_policy.LEASE = LEASE
    from shared.notifications.delivery import claims
    from shared.processing.store import outbox

    outbox.LEASE = claims.LEASE = LEASE


if __name__ == "__main__":
    shorten_leases()
    from infra.cli import main as stappenplan

    stappenplan()
