"""Keep what operators tell each other of dead letters, and which were decided about as one."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "shared_0011"
down_revision: str | None = "shared_0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("decision", sa.Column("round", sa.String(length=36), nullable=True))
    op.create_index(
        "decision_round",
        "decision",
        ["round"],
        postgresql_where=sa.text("round IS NOT NULL"),
        sqlite_where=sa.text("round IS NOT NULL"),
    )
    op.create_index(
        "inbox_retrying",
        "inbox",
        ["due_at"],
        postgresql_where=sa.text("status = 'waiting' AND attempts > 0"),
        sqlite_where=sa.text("status = 'waiting' AND attempts > 0"),
    )
    op.create_table(
        "triage",
        sa.Column("letter_id", sa.String(length=80), primary_key=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("owner", sa.String(length=200), nullable=True),
        sa.Column("on_hold", sa.Boolean(), nullable=False),
        sa.Column("changed_by", sa.String(length=200), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("triage_changed", "triage", ["changed_at"])


def downgrade() -> None:
    op.drop_table("triage")
    op.drop_index("inbox_retrying", table_name="inbox")
    op.drop_index("decision_round", table_name="decision")
    op.drop_column("decision", "round")
