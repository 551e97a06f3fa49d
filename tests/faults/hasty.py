"""`stappenplan`, but what a dead process had claimed is free for others after seconds."""

from tests.crashes.leases import shorten_leases

if __name__ == "__main__":
    shorten_leases()
    from infra.cli import main as stappenplan

    stappenplan()
