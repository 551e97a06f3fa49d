"""Say of an office how it pays; keep corrections of a sign-up; count sign-ups by the hour."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "signup_0002"
down_revision: str | None = "signup_0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _pay("sa_word", sa.String(length=6), "no", "CASE WHEN {old} THEN 'review' ELSE 'no' END")
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
    _pay("sa_flag", sa.Boolean(), sa.false(), "{old} <> 'no'")


def _pay(draft: str, kind: sa.types.TypeEngine[Any], default: Any, value: str) -> None:
    """Give `pays_for_customers` another type: neither database can do that in place on both."""
    old = "pays_for_customers"
    op.add_column("office", sa.Column(draft, kind, nullable=False, server_default=default))
    op.execute(f"UPDATE office SET {draft} = {value.format(old=old)}")  # noqa: S608 - our own.
    op.drop_column("office", old)
    op.execute(f"ALTER TABLE office RENAME COLUMN {draft} TO {old}")
