"""Keep by which address a customer is reached since it was changed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "billing_0006"
down_revision: str | None = "billing_0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("customer_order", sa.Column("contact", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("customer_order", "contact")
