"""The first tables."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "billing_0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = ("billing",)
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "collection",
        sa.Column("key", sa.String(length=71), nullable=False),
        sa.Column("order_reference", sa.String(length=35), nullable=False),
        sa.Column("onboarding_id", sa.String(length=36), nullable=False),
        sa.Column("office_code", sa.String(length=35), nullable=True),
        sa.Column("end_to_end_id", sa.String(length=35), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("collect_on", sa.Date(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("reason_code", sa.String(length=35), nullable=True),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("results", sa.JSON(), nullable=False),
        sa.Column("decision", sa.String(length=10), nullable=True),
        sa.Column("decided_by", sa.String(length=120), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("collection_end_to_end", "collection", ["end_to_end_id"], unique=False)
    op.create_index("collection_held", "collection", ["held"], unique=False)
    op.create_index("collection_order", "collection", ["order_reference"], unique=False)
    op.create_index("collection_status", "collection", ["status"], unique=False)
    op.create_table(
        "customer_order",
        sa.Column("onboarding_id", sa.String(length=36), nullable=False),
        sa.Column("reference", sa.String(length=35), nullable=True),
        sa.Column("office_code", sa.String(length=35), nullable=True),
        sa.Column("registered", sa.JSON(), nullable=True),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("placed_on", sa.Date(), nullable=True),
        sa.Column("mandate_key", sa.String(length=120), nullable=True),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("signature_method", sa.String(length=20), nullable=True),
        sa.Column("signed_by", sa.String(length=200), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("standing", sa.String(length=12), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("onboarding_id"),
        sa.UniqueConstraint("reference"),
    )
    op.create_index("order_mandate", "customer_order", ["mandate_key"], unique=False)
    op.create_table(
        "mandate",
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("reference", sa.String(length=35), nullable=False),
        sa.Column("scheme", sa.String(length=4), nullable=False),
        sa.Column("iban", sa.String(length=34), nullable=True),
        sa.Column("account_holder", sa.String(length=200), nullable=True),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("reference"),
    )
    op.create_table(
        "unmatched_result",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("open", sa.Integer(), nullable=False),
        sa.Column("order_reference", sa.String(length=35), nullable=False),
        sa.Column("end_to_end_id", sa.String(length=35), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(length=300), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("unmatched_open", "unmatched_result", ["open"], unique=False)


def downgrade() -> None:
    op.drop_index("unmatched_open", table_name="unmatched_result")
    op.drop_table("unmatched_result")
    op.drop_table("mandate")
    op.drop_index("order_mandate", table_name="customer_order")
    op.drop_table("customer_order")
    op.drop_index("collection_status", table_name="collection")
    op.drop_index("collection_order", table_name="collection")
    op.drop_index("collection_held", table_name="collection")
    op.drop_index("collection_end_to_end", table_name="collection")
    op.drop_table("collection")
