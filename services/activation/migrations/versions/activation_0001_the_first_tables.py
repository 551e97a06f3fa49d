"""The first tables."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "activation_0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = ("activation",)
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "activation",
        sa.Column("onboarding_id", sa.String(length=36), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("office_code", sa.String(length=35), nullable=True),
        sa.Column("company", sa.String(length=200), nullable=True),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("mobile", sa.String(length=20), nullable=True),
        sa.Column("login_name", sa.String(length=24), nullable=True),
        sa.Column("login_base", sa.String(length=24), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=14), nullable=True),
        sa.Column("channel", sa.String(length=5), nullable=True),
        sa.Column("ordered_by", sa.String(length=120), nullable=True),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("one_time_hash", sa.String(length=200), nullable=True),
        sa.Column("own_hash", sa.String(length=200), nullable=True),
        sa.Column("wrong_tries", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("onboarding_id"),
        sa.UniqueConstraint("login_name"),
    )
    op.create_index("activation_list", "activation", ["office_code", "heard_at"], unique=False)
    op.create_index("activation_ready", "activation", ["ready", "office_code"], unique=False)
    op.create_index(op.f("ix_activation_login_base"), "activation", ["login_base"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_activation_login_base"), table_name="activation")
    op.drop_index("activation_ready", table_name="activation")
    op.drop_index("activation_list", table_name="activation")
    op.drop_table("activation")
