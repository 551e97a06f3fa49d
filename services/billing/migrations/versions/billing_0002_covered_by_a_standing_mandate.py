"""Keep since when a standing mandate covered an order when it was placed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "billing_0002"
down_revision: str | None = "billing_0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("customer_order", sa.Column("covered_since", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column("customer_order", "covered_since")
