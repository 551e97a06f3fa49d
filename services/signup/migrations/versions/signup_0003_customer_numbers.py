"""Find a sign-up by the number that its customer was given at registration."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "signup_0003"
down_revision: str | None = "signup_0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("signup", sa.Column("customer_number", sa.String(length=35), nullable=True))
    op.create_index("signup_customer_number", "signup", ["customer_number"], unique=False)


def downgrade() -> None:
    op.drop_index("signup_customer_number", table_name="signup")
    op.drop_column("signup", "customer_number")
