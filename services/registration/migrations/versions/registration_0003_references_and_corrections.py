"""Find a registration by its references; keep what the office corrected."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "registration_0003"
down_revision: str | None = "registration_0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

REGISTRATION = sa.table(
    "registration",
    sa.column("onboarding_id", sa.String()),
    sa.column("accepted", sa.JSON()),
    sa.column("reference", sa.String()),
)
INDEXES = {
    "registration_reference": "reference",
    "registration_customer_number": "customer_number",
    "registration_administration": "administration_number",
}


def upgrade() -> None:
    op.add_column("registration", sa.Column("reference", sa.String(length=35), nullable=True))
    op.add_column("registration", sa.Column("corrected", sa.JSON(), nullable=True))
    op.add_column("registration", sa.Column("corrected_by", sa.String(length=120), nullable=True))
    op.add_column(
        "registration", sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=True)
    )
    reference = REGISTRATION.c.accepted["reference"].as_string()
    op.execute(sa.update(REGISTRATION).values(reference=reference))
    for name, column in INDEXES.items():
        op.create_index(name, "registration", [column], unique=False)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, table_name="registration")
    for column in ("corrected_at", "corrected_by", "corrected", "reference"):
        op.drop_column("registration", column)
