"""Find what waits for one order without looking at what waits for all others."""

from collections.abc import Sequence

from alembic import op

revision: str = "billing_0009"
down_revision: str | None = "billing_0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(
        "unmatched_order", "unmatched_result", ["order_reference", "open"], unique=False
    )


def downgrade() -> None:
    op.drop_index("unmatched_order", table_name="unmatched_result")
