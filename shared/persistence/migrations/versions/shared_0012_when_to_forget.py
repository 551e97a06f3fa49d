"""Keep by which moment old rows are forgotten: a clock that jumps has nothing forgotten at once."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "shared_0012"
down_revision: str | None = "shared_0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "retention",
        sa.Column("name", sa.String(length=40), primary_key=True),
        sa.Column("moment", sa.DateTime(timezone=True), nullable=False),
    )
    # What is there already says what time it was, should the clock be wrong by now.
    op.execute(
        "INSERT INTO retention (name, moment) SELECT 'forgetting', max(received_at) FROM inbox "
        "HAVING max(received_at) IS NOT NULL"
    )


def downgrade() -> None:
    op.drop_table("retention")
