"""Keep by which exchange a message came, and count what is refused and not kept."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "shared_0010"
down_revision: str | None = "shared_0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # An older version that still runs does not name it: of its rows nobody knows.
    op.add_column("inbox", sa.Column("exchange", sa.String(length=255), nullable=True))
    op.create_table(
        "refused_overflow",
        sa.Column("speaker", sa.String(length=255), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("refused_overflow")
    op.drop_column("inbox", "exchange")
