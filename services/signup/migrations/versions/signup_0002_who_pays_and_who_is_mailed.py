"""Say of an office how it pays; keep corrections of a sign-up; count sign-ups by the hour."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "signup_0002"
down_revision: str | None = "signup_0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # The version before this one goes on reading and writing the yes or no beside it.
    op.add_column(
        "office",
        sa.Column("pays_unseen", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("office", sa.Column("color", sa.String(length=7), nullable=True))
    op.add_column("office", sa.Column("sites", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("signup", sa.Column("registered", sa.JSON(), nullable=True))
    op.add_column("signup", sa.Column("contact", sa.JSON(), nullable=True))
    op.create_table(
        "signup_count",
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signups", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )


def downgrade() -> None:
    op.drop_table("signup_count")
    op.drop_column("signup", "contact")
    op.drop_column("signup", "registered")
    op.drop_column("office", "sites")
    op.drop_column("office", "color")
    op.drop_column("office", "pays_unseen")
