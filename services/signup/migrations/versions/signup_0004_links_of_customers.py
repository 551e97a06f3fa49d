"""Keep since when a customer's links hold, and when one was last sent anew."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "signup_0004"
down_revision: str | None = "signup_0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("signup", sa.Column("links_from", sa.DateTime(timezone=True), nullable=True))
    op.add_column("signup", sa.Column("link_sent_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("signup", "link_sent_at")
    op.drop_column("signup", "links_from")
