"""Keep unpublished events out of the index of the published ones."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "shared_0005"
down_revision: str | None = "shared_0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

PUBLISHED = sa.text("published_at IS NOT NULL")


def upgrade() -> None:
    op.drop_index("outbox_published", table_name="outbox")
    op.create_index(
        "outbox_published",
        "outbox",
        ["published_at"],
        unique=False,
        postgresql_where=PUBLISHED,
        sqlite_where=PUBLISHED,
    )


def downgrade() -> None:
    op.drop_index("outbox_published", table_name="outbox")
    op.create_index("outbox_published", "outbox", ["published_at"], unique=False)
