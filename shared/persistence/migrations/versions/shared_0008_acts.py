"""Keep every request of a person: who, for which office, what, about whom, when, from where."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "shared_0008"
down_revision: str | None = "shared_0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "act",
        sa.Column("id", sa.String(length=36), primary_key=True),
        sa.Column("subject", sa.String(length=36), nullable=False),
        sa.Column("what", sa.String(length=255), nullable=False),
        sa.Column("who", sa.String(length=200), nullable=False),
        sa.Column("office", sa.String(length=35), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
    )
    op.create_index("act_subject", "act", ["subject", "at"])
    op.create_index("act_at", "act", ["at"])


def downgrade() -> None:
    op.drop_table("act")
