"""Count wrong passwords by name and address, tell of a lock once, and count what is forgotten."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "activation_0003"
down_revision: str | None = "activation_0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column(
        "activation", sa.Column("lock_told_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "activation", sa.Column("forgotten_since", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("activation", sa.Column("times_forgotten", sa.Integer(), nullable=True))
    op.create_table(
        "login_tries",
        sa.Column("way", sa.String(length=64), nullable=False),
        sa.Column("wrong_tries", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_right_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("forget_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("way"),
    )
    op.create_index("ix_login_tries_forget_at", "login_tries", ["forget_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_login_tries_forget_at", table_name="login_tries")
    op.drop_table("login_tries")
    op.drop_column("activation", "times_forgotten")
    op.drop_column("activation", "forgotten_since")
    op.drop_column("activation", "lock_told_at")
