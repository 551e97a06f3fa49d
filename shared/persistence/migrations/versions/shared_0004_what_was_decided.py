"""Keep every decision about a dead letter, with the correction beside the original."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "shared_0004"
down_revision: str | None = "shared_0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "decision",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("letter_id", sa.String(length=80), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("decided_by", sa.String(length=200), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("original", sa.LargeBinary(), nullable=True),
        sa.Column("original_postage", sa.Text(), nullable=True),
        sa.Column("correction", sa.LargeBinary(), nullable=True),
        sa.Column("correction_digest", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("decision_letter", "decision", ["letter_id"], unique=False)
    op.create_index("decision_decided", "decision", ["decided_at"], unique=False)


def downgrade() -> None:
    op.drop_index("decision_decided", table_name="decision")
    op.drop_index("decision_letter", table_name="decision")
    op.drop_table("decision")
