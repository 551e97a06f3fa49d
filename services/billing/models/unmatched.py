"""Results that KING reported of orders that are not known."""

from datetime import datetime
from typing import Any
from uuid import uuid5

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field

from services.billing.models.table import BillingTable
from shared.events import CollectionResult
from shared.events.envelope import NAMESPACE
from shared.persistence.entity import moment


class UnmatchedResult(BillingTable, table=True):
    """What KING reported of an order that is not known: kept until the order appears."""

    __tablename__ = "unmatched_result"
    __table_args__ = (
        Index("unmatched_list", "open", "received_at", "id"),
        Index("unmatched_order", "order_reference", "open"),
    )

    id: str = Field(primary_key=True, max_length=36)
    open: int = 1
    order_reference: str = Field(max_length=35)
    end_to_end_id: str = Field(max_length=35)
    result: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    received_at: datetime = Field(sa_column=moment())
    decision: str | None = Field(default=None, max_length=300)

    @classmethod
    def keep(cls, result: CollectionResult, now: datetime) -> "UnmatchedResult":
        """A result that waits for its order, under an id that follows from what it says."""
        return cls(
            id=unmatched_id(result),
            order_reference=result.order_reference,
            end_to_end_id=result.end_to_end_id,
            result=result.model_dump(mode="json", exclude_none=True),
            received_at=now,
        )

    def match(self) -> CollectionResult:
        """The result, now that its order is known; it waits no longer."""
        self.open = 0
        return CollectionResult.model_validate(self.result)

    def dismiss(self, reason: str, by: str) -> None:
        """Keep that a person decided that it counts for nothing; it waits no longer."""
        self.open, self.decision = 0, f"{by}: {reason}"[:300]


def unmatched_id(result: CollectionResult) -> str:
    """The id of a result whose order is not known: the very same, told again, is one result."""
    return str(uuid5(NAMESPACE, f"unmatched/{result.model_dump_json()}"))
