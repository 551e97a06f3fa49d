"""What the routes of collections answer: collections, results, decisions."""

from datetime import date
from typing import Any

from pydantic import BaseModel

from services.billing.models import Collection, Order, UnmatchedResult
from services.billing.models.money import HeldResult
from services.billing.models.results import as_reported
from shared.events import CollectionResult, MandateDetails


class CollectionResponse(BaseModel):
    """One attempt to collect, and what KING reported of it; amounts are in cents."""

    order_reference: str
    end_to_end_id: str
    attempt: int
    amount_cents: int
    currency: str
    collect_on: date | None
    status: str
    reason_code: str | None
    held: bool
    reported: list[dict[str, Any]]

    @classmethod
    def of(cls, row: Collection) -> "CollectionResponse":
        """This collection."""
        return cls(**_fields(row))


class RequestedCollectionResponse(CollectionResponse):
    """A collection that KING should make, with the mandate that allows it."""

    mandate: MandateDetails

    @classmethod
    def under(cls, mandate: MandateDetails, row: Collection) -> "RequestedCollectionResponse":
        """This collection, under this mandate."""
        return cls(**_fields(row), mandate=mandate)


class Amount(BaseModel):
    """An amount in cents of a currency."""

    amount_cents: int
    currency: str


class HeldResultResponse(BaseModel):
    """One result that a person must decide: what was expected, and what came.

    `why` is `deviating_amount`, `after_failure`, `paid_twice`, `withdrawn`, `deceased`, or
    `order_unknown`; of an order that is not known nothing is expected.
    """

    result_id: str
    why: str
    order_reference: str
    onboarding_id: str | None = None
    office_code: str | None = None
    company: str | None = None
    end_to_end_id: str
    attempt: int
    expected: Amount | None = None
    reported: CollectionResult
    missing_cents: int | None = None
    surplus_cents: int | None = None

    @classmethod
    def of(cls, held: HeldResult, order: Order) -> "HeldResultResponse":
        """This held result of this order."""
        row, reported = held.collection, CollectionResult.model_validate(held.fact)
        difference = None
        if reported.status == "succeeded" and reported.currency == row.currency:
            difference = reported.amount_cents - row.amount_cents
        return cls(
            result_id=held.id,
            why=held.why,
            order_reference=row.order_reference,
            onboarding_id=row.onboarding_id,
            office_code=row.office_code,
            company=order.registration().customer.company,
            end_to_end_id=row.end_to_end_id,
            attempt=reported.attempt,
            expected=Amount(amount_cents=row.amount_cents, currency=row.currency),
            reported=reported,
            missing_cents=None if difference is None else max(0, -difference),
            surplus_cents=None if difference is None else max(0, difference),
        )

    @classmethod
    def of_unmatched(cls, row: UnmatchedResult) -> "HeldResultResponse":
        """This result of an order that is not known."""
        reported = CollectionResult.model_validate(row.result)
        return cls(
            result_id=row.id,
            why="order_unknown",
            order_reference=row.order_reference,
            end_to_end_id=row.end_to_end_id,
            attempt=reported.attempt,
            reported=reported,
        )


class DecisionResponse(HeldResultResponse):
    """One result, and what a person decided about it; how the order stands now."""

    decision: str
    reason: str
    released: bool
    to_pay_back_cents: int


class TakenResult(BaseModel):
    """One result that was taken; `held` says that a person must decide about its collection."""

    order_reference: str
    end_to_end_id: str
    attempt: int
    amount_cents: int
    currency: str
    status: str
    company: str | None
    order_known: bool
    held: bool


class TakenResponse(BaseModel):
    """What was taken of KING's report: all of it."""

    taken: list[TakenResult]


def _fields(row: Collection) -> dict[str, Any]:
    return {
        "order_reference": row.order_reference,
        "end_to_end_id": row.end_to_end_id,
        "attempt": row.attempt,
        "amount_cents": row.amount_cents,
        "currency": row.currency,
        "collect_on": row.collect_on,
        "status": row.status,
        "reason_code": row.reason_code,
        "held": bool(row.held),
        "reported": [as_reported(fact) for fact in row.results],
    }
