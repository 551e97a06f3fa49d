"""The first tables."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "signup_0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = ("signup",)
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "office",
        sa.Column("code", sa.String(length=35), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=200), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("review", sa.String(length=10), nullable=False),
        sa.Column("base_administration", sa.String(length=35), nullable=False),
        sa.Column("pays_for_customers", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "signup",
        sa.Column("onboarding_id", sa.String(length=36), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("reference", sa.String(length=35), nullable=True),
        sa.Column("office_code", sa.String(length=35), nullable=True),
        sa.Column("package_code", sa.String(length=35), nullable=True),
        sa.Column("kvk", sa.String(length=8), nullable=True),
        sa.Column("company_key", sa.String(length=420), nullable=True),
        sa.Column("accepted", sa.JSON(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("logged_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_by", sa.String(length=120), nullable=True),
        sa.PrimaryKeyConstraint("onboarding_id"),
        sa.UniqueConstraint("reference"),
    )
    op.create_index("signup_company", "signup", ["company_key"], unique=False)
    op.create_index("signup_kvk", "signup", ["kvk"], unique=False)


def downgrade() -> None:
    op.drop_index("signup_kvk", table_name="signup")
    op.drop_index("signup_company", table_name="signup")
    op.drop_table("signup")
    op.drop_table("office")
