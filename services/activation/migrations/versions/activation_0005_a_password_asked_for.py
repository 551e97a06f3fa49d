"""Keep a password that somebody asked for beside the one that came with the credentials."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "activation_0005"
down_revision: str | None = "activation_0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("activation", sa.Column("recovery_hash", sa.String(length=200), nullable=True))
    op.add_column(
        "activation", sa.Column("recovery_expires_at", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    op.drop_column("activation", "recovery_expires_at")
    op.drop_column("activation", "recovery_hash")
