"""Find each page of the lists of customers by its place in the order."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "activation_0002"
down_revision: str | None = "activation_0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

READY: dict[str, Any] = {"postgresql_where": sa.text("ready"), "sqlite_where": sa.text("ready")}


def upgrade() -> None:
    op.create_index("activation_newest", "activation", ["heard_at", "onboarding_id"], unique=False)
    op.create_index(
        "activation_office",
        "activation",
        ["office_code", "heard_at", "onboarding_id"],
        unique=False,
    )
    op.create_index(
        "activation_waiting", "activation", ["heard_at", "onboarding_id"], unique=False, **READY
    )
    op.create_index(
        "activation_waiting_office",
        "activation",
        ["office_code", "heard_at", "onboarding_id"],
        unique=False,
        **READY,
    )
    op.drop_index("activation_list", table_name="activation")
    op.drop_index("activation_ready", table_name="activation")


def downgrade() -> None:
    op.create_index("activation_list", "activation", ["office_code", "heard_at"], unique=False)
    op.create_index("activation_ready", "activation", ["ready", "office_code"], unique=False)
    op.drop_index("activation_waiting_office", table_name="activation")
    op.drop_index("activation_waiting", table_name="activation")
    op.drop_index("activation_office", table_name="activation")
    op.drop_index("activation_newest", table_name="activation")
