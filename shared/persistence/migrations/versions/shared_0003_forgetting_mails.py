"""Find old mails without reading all of them."""

from collections.abc import Sequence

from alembic import op

revision: str = "shared_0003"
down_revision: str | None = "shared_0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index("notification_created", "notification", ["created_at"], unique=False)


def downgrade() -> None:
    op.drop_index("notification_created", table_name="notification")
