"""Find each page of the lists of collections, and what an office has not signed, at once."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "billing_0003"
down_revision: str | None = "billing_0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _only(condition: str) -> dict[str, Any]:
    return {"postgresql_where": sa.text(condition), "sqlite_where": sa.text(condition)}


TO_COLLECT = _only("status = 'requested' AND held = 0")
TO_DECIDE = _only("held = 1")
UNSIGNED = _only("signed_on IS NULL")


def upgrade() -> None:
    op.create_index("collection_to_collect", "collection", ["key"], unique=False, **TO_COLLECT)
    op.create_index(
        "collection_to_collect_office",
        "collection",
        ["office_code", "key"],
        unique=False,
        **TO_COLLECT,
    )
    op.create_index("collection_to_decide", "collection", ["key"], unique=False, **TO_DECIDE)
    op.create_index(
        "collection_to_decide_office",
        "collection",
        ["office_code", "key"],
        unique=False,
        **TO_DECIDE,
    )
    op.create_index("order_unsigned", "customer_order", ["mandate_key"], unique=False, **UNSIGNED)
    op.create_index(
        "unmatched_list", "unmatched_result", ["open", "received_at", "id"], unique=False
    )
    op.drop_index("collection_status", table_name="collection")
    op.drop_index("collection_held", table_name="collection")
    op.drop_index("order_mandate", table_name="customer_order")
    op.drop_index("unmatched_open", table_name="unmatched_result")


def downgrade() -> None:
    op.create_index("collection_status", "collection", ["status"], unique=False)
    op.create_index("collection_held", "collection", ["held"], unique=False)
    op.create_index("order_mandate", "customer_order", ["mandate_key"], unique=False)
    op.create_index("unmatched_open", "unmatched_result", ["open"], unique=False)
    op.drop_index("unmatched_list", table_name="unmatched_result")
    op.drop_index("order_unsigned", table_name="customer_order")
    op.drop_index("collection_to_decide_office", table_name="collection")
    op.drop_index("collection_to_decide", table_name="collection")
    op.drop_index("collection_to_collect_office", table_name="collection")
    op.drop_index("collection_to_collect", table_name="collection")
