"""Keep what the broker answered for an event, and the trace that a notification belongs to."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "shared_0007"
down_revision: str | None = "shared_0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # An older version that still runs names neither: its rows have none.
    op.add_column("outbox", sa.Column("publish_result", sa.String(length=12), nullable=True))
    op.add_column("notification", sa.Column("traceparent", sa.String(length=255), nullable=True))


def downgrade() -> None:
    op.drop_column("notification", "traceparent")
    op.drop_column("outbox", "publish_result")
