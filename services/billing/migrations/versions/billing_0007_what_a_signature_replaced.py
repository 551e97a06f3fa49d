"""Keep what a mandate's signature replaced, for when it is taken back."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "billing_0007"
down_revision: str | None = "billing_0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("mandate", sa.Column("former", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("mandate", "former")
