"""List orders by how far they have come, keep what the bank refused and what was called off."""

import unicodedata
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "billing_0005"
down_revision: str | None = "billing_0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

SORTED_TEXT = sa.String(200).with_variant(sa.String(200, collation="C"), "postgresql")
BATCH = 1000

ORDERS = sa.table(
    "customer_order",
    sa.column("onboarding_id", sa.String),
    sa.column("registered", sa.JSON),
    sa.column("company_key", sa.String),
)

LISTS = {
    "order_company": ["company_key", "reference"],
    "order_office_company": ["office_code", "company_key", "reference"],
    "order_stage": ["stage", "company_key", "reference"],
    "order_office_stage": ["office_code", "stage", "company_key", "reference"],
}

STAGES = """
UPDATE customer_order SET stage = CASE
    WHEN reference IS NULL THEN 'unplaced'
    WHEN withdrawn THEN 'withdrawn'
    WHEN signed_on IS NULL THEN 'unsigned'
    WHEN standing = 'released' THEN 'released'
    WHEN standing = 'taken_back' THEN 'suspended'
    ELSE 'signed' END
"""

LAST_USE = """
UPDATE mandate SET used_on = (
    SELECT max(collection.collect_on) FROM customer_order
    JOIN collection ON collection.order_reference = customer_order.reference
    WHERE customer_order.mandate_key = mandate.key)
"""


def upgrade() -> None:
    op.add_column("collection", sa.Column("called_off", sa.String(20), nullable=True))
    op.add_column("mandate", sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("mandate", sa.Column("used_on", sa.Date(), nullable=True))
    op.add_column("mandate", sa.Column("refusals", sa.JSON(), nullable=True))
    op.add_column(
        "customer_order",
        sa.Column("stage", sa.String(12), nullable=False, server_default="unplaced"),
    )
    op.add_column(
        "customer_order",
        sa.Column("company_key", SORTED_TEXT, nullable=False, server_default=""),
    )
    op.create_index("order_mandate", "customer_order", ["mandate_key", "signed_on"])
    op.drop_index("order_unsigned", table_name="customer_order")
    op.drop_index("collection_end_to_end", table_name="collection")
    op.execute(STAGES)
    op.execute(LAST_USE)
    _fill_company_keys()
    for name, columns in LISTS.items():
        op.create_index(name, "customer_order", columns)


def downgrade() -> None:
    for name in reversed(LISTS):
        op.drop_index(name, table_name="customer_order")
    op.create_index("collection_end_to_end", "collection", ["end_to_end_id"], unique=False)
    unsigned = sa.text("signed_on IS NULL")
    op.create_index(
        "order_unsigned",
        "customer_order",
        ["mandate_key"],
        unique=False,
        postgresql_where=unsigned,
        sqlite_where=unsigned,
    )
    op.drop_index("order_mandate", table_name="customer_order")
    op.drop_column("customer_order", "company_key")
    op.drop_column("customer_order", "stage")
    for name in ("refusals", "used_on", "recorded_at"):
        op.drop_column("mandate", name)
    op.drop_column("collection", "called_off")


def _fill_company_keys() -> None:
    """Find the orders of before by their companies, too."""
    connection, last = op.get_bind(), ""
    own = ORDERS.c.onboarding_id
    while True:
        query = sa.select(own, ORDERS.c.registered).where(own > last).order_by(own).limit(BATCH)
        rows = connection.execute(query).all()
        if not rows:
            return
        last = rows[-1][0]
        changes = [
            {"own": row[0], "name": _company_key(row[1]["customer"]["company"])}
            for row in rows
            if row[1]
        ]
        if changes:
            update = sa.update(ORDERS).where(own == sa.bindparam("own"))
            connection.execute(update.values(company_key=sa.bindparam("name")), changes)


def _company_key(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())[:200]
