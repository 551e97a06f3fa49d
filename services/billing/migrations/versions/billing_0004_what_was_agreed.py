"""Keep what was agreed with an order: the price, the creditor, the account, the term."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "billing_0004"
down_revision: str | None = "billing_0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("customer_order", sa.Column("agreed", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("customer_order", "agreed")
