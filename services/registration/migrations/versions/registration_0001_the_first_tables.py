"""The first tables."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "registration_0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = ("registration",)
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "base_administration",
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("code", sa.String(length=35), nullable=False),
        sa.Column("office_code", sa.String(length=35), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("chart_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "chart",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("accounts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "registration",
        sa.Column("onboarding_id", sa.String(length=36), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("office_code", sa.String(length=35), nullable=True),
        sa.Column("accepted", sa.JSON(), nullable=True),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=120), nullable=True),
        sa.Column("customer_number", sa.String(length=35), nullable=True),
        sa.Column("administration_number", sa.String(length=35), nullable=True),
        sa.Column("administration_name", sa.String(length=200), nullable=True),
        sa.Column("copied_from", sa.String(length=35), nullable=True),
        sa.Column("chart_id", sa.String(length=64), nullable=True),
        sa.Column("administration_error", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("onboarding_id"),
    )
    op.create_index("registration_status", "registration", ["status", "office_code"], unique=False)


def downgrade() -> None:
    op.drop_index("registration_status", table_name="registration")
    op.drop_table("registration")
    op.drop_table("chart")
    op.drop_table("base_administration")
