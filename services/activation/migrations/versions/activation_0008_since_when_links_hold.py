"""Keep when a customer's contact was changed: links of before went to somebody else."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "activation_0008"
down_revision: str | None = "activation_0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column(
        "activation", sa.Column("contact_changed_at", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    op.drop_column("activation", "contact_changed_at")
