"""Record who decided about a mail that could not be sent, and find those mails quickly."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "shared_0002"
down_revision: str | None = "shared_0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

FAILED = sa.text("status = 'failed'")


def upgrade() -> None:
    decided_at = sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("notification", sa.Column("decided_by", sa.String(length=200), nullable=True))
    op.add_column("notification", decided_at)
    op.add_column("notification", sa.Column("decision", sa.Text(), nullable=True))
    op.create_index(
        "notification_failed",
        "notification",
        ["created_at"],
        unique=False,
        postgresql_where=FAILED,
        sqlite_where=FAILED,
    )


def downgrade() -> None:
    op.drop_index("notification_failed", table_name="notification")
    for name in ("decision", "decided_at", "decided_by"):
        op.drop_column("notification", name)
