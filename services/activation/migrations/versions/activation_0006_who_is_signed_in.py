"""Keep the sessions of staff, the links that were used, and the sign-ins that are under way."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "activation_0006"
down_revision: str | None = "activation_0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "staff_session",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("office", sa.String(length=35), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("secret_hash"),
    )
    op.create_index("ix_staff_session_ends_at", "staff_session", ["ends_at"], unique=False)
    op.create_table(
        "staff_link",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_staff_link_used_at", "staff_link", ["used_at"], unique=False)
    op.create_table(
        "staff_attempt",
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("verifier", sa.String(length=128), nullable=False),
        sa.Column("next_path", sa.String(length=2000), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("state_hash"),
    )
    op.create_index("ix_staff_attempt_ends_at", "staff_attempt", ["ends_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_staff_attempt_ends_at", table_name="staff_attempt")
    op.drop_table("staff_attempt")
    op.drop_index("ix_staff_link_used_at", table_name="staff_link")
    op.drop_table("staff_link")
    op.drop_index("ix_staff_session_ends_at", table_name="staff_session")
    op.drop_table("staff_session")
