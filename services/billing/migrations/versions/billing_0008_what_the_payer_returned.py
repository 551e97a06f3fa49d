"""Keep what the payer says of the paper, scans of it, signatures given online, and void links."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "billing_0008"
down_revision: str | None = "billing_0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column("customer_order", sa.Column("posted_on", sa.Date(), nullable=True))
    op.add_column("customer_order", sa.Column("returned_at", moment, nullable=True))
    op.add_column("customer_order", sa.Column("scan_at", moment, nullable=True))
    op.add_column("customer_order", sa.Column("links_not_before", moment, nullable=True))
    op.add_column("customer_order", sa.Column("link_sent_at", moment, nullable=True))
    op.create_table(
        "order_scan",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("onboarding_id", sa.String(36), nullable=False),
        sa.Column("media_type", sa.String(40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("received_at", moment, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )
    op.create_index("order_scan_onboarding", "order_scan", ["onboarding_id"])
    op.create_table(
        "online_signing",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("onboarding_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("place", sa.String(100), nullable=False),
        sa.Column("iban", sa.String(34), nullable=True),
        sa.Column("account_holder", sa.String(200), nullable=True),
        sa.Column("consent", sa.Text(), nullable=False),
        sa.Column("document_sha256", sa.String(64), nullable=False),
        sa.Column("sent_to", sa.String(320), nullable=False),
        sa.Column("asked_at", moment, nullable=False),
        sa.Column("codes", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=True),
        sa.Column("code_expires_at", moment, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("voided_at", moment, nullable=True),
        sa.Column("signed_at", moment, nullable=True),
        sa.Column("address", sa.String(64), nullable=True),
        sa.Column("user_agent", sa.String(300), nullable=True),
    )
    op.create_index("online_signing_onboarding", "online_signing", ["onboarding_id"])


def downgrade() -> None:
    op.drop_table("online_signing")
    op.drop_table("order_scan")
    for name in ("link_sent_at", "links_not_before", "scan_at", "returned_at", "posted_on"):
        op.drop_column("customer_order", name)
