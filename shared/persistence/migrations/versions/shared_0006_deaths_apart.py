"""Count what killed the process apart from what failed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "shared_0006"
down_revision: str | None = "shared_0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # An older version that still runs names no deaths: its rows have none.
    deaths = sa.Column("deaths", sa.Integer(), nullable=False, server_default=sa.text("0"))
    op.add_column("inbox", deaths)


def downgrade() -> None:
    op.drop_column("inbox", "deaths")
