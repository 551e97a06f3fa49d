"""Find customers by step, actor, reference and text; keep what was heard, for their history."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "activation_0004"
down_revision: str | None = "activation_0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

COLUMNS = {
    "step": 12,
    "actor": 8,
    "reference": 35,
    "order_reference": 35,
    "customer_number": 35,
    "administration_number": 35,
}
INDEXES = {
    "activation_step": ["step", "heard_at", "onboarding_id"],
    "activation_office_step": ["office_code", "step", "heard_at", "onboarding_id"],
    "activation_step_actor": ["step", "actor", "heard_at", "onboarding_id"],
    "activation_actor": ["actor", "heard_at", "onboarding_id"],
    "activation_office_actor": ["office_code", "actor", "heard_at", "onboarding_id"],
    "activation_reference": ["reference"],
    "activation_order": ["order_reference"],
    "activation_customer_number": ["customer_number"],
    "activation_administration": ["administration_number"],
}
BY_BYTES = sa.String(length=100).with_variant(sa.String(length=100, collation="C"), "postgresql")


def upgrade() -> None:
    for name, length in COLUMNS.items():
        op.add_column("activation", sa.Column(name, sa.String(length=length), nullable=True))
    for name, columns in INDEXES.items():
        op.create_index(name, "activation", columns, unique=False)
    _create_heard_fact()
    _create_search_term()


def _create_heard_fact() -> None:
    op.create_table(
        "heard_fact",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("onboarding_id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("heard_fact_story", "heard_fact", ["onboarding_id", "at", "id"], unique=False)


def _create_search_term() -> None:
    op.create_table(
        "search_term",
        sa.Column("id", sa.String(length=60), nullable=False),
        sa.Column("onboarding_id", sa.String(length=36), nullable=False),
        sa.Column("office_code", sa.String(length=35), nullable=True),
        sa.Column("term", BY_BYTES, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("search_term_customer", "search_term", ["onboarding_id", "term"], unique=False)
    op.create_index("search_term_all", "search_term", ["term", "onboarding_id"], unique=False)
    op.create_index(
        "search_term_office", "search_term", ["office_code", "term", "onboarding_id"], unique=False
    )


def downgrade() -> None:
    op.drop_table("search_term")
    op.drop_table("heard_fact")
    for name in INDEXES:
        op.drop_index(name, table_name="activation")
    for name in COLUMNS:
        op.drop_column("activation", name)
