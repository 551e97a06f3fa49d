"""Find customers by what they wait for, and since when; keep what was sent to many at once."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "activation_0007"
down_revision: str | None = "activation_0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("activation", sa.Column("blocker", sa.String(length=24), nullable=True))
    op.add_column("activation", sa.Column("since", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "activation_blocker", "activation", ["blocker", "since", "onboarding_id"], unique=False
    )
    op.create_index(
        "activation_office_blocker",
        "activation",
        ["office_code", "blocker", "since", "onboarding_id"],
        unique=False,
    )
    op.create_table(
        "activation_round",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("office_code", sa.String(length=35), nullable=True),
        sa.Column("ordered_by", sa.String(length=120), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("customers", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("activation_round")
    op.drop_index("activation_office_blocker", table_name="activation")
    op.drop_index("activation_blocker", table_name="activation")
    op.drop_column("activation", "since")
    op.drop_column("activation", "blocker")
