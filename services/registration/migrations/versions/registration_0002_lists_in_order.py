"""Find each page of the list of registrations by its place in the order."""

from collections.abc import Sequence

from alembic import op

revision: str = "registration_0002"
down_revision: str | None = "registration_0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(
        "registration_list", "registration", ["status", "heard_at", "onboarding_id"], unique=False
    )
    op.create_index(
        "registration_office",
        "registration",
        ["office_code", "status", "heard_at", "onboarding_id"],
        unique=False,
    )
    op.drop_index("registration_status", table_name="registration")


def downgrade() -> None:
    op.create_index("registration_status", "registration", ["status", "office_code"], unique=False)
    op.drop_index("registration_office", table_name="registration")
    op.drop_index("registration_list", table_name="registration")
