"""What billing's routes answer: orders, collections, results without an order."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel

from services.billing.models import Collection, Mandate, Order, UnmatchedResult
from shared.events import MandateDetails
from shared.events.shapes import Package


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


class UnmatchedResultResponse(BaseModel):
    """What KING reported of an order that is not known."""

    order_reference: str
    end_to_end_id: str
    held: Literal[True] = True
    reason: str = "the order is not known"
    reported: list[dict[str, Any]]

    @classmethod
    def of(cls, row: UnmatchedResult) -> "UnmatchedResultResponse":
        """This result."""
        return cls(
            order_reference=row.order_reference,
            end_to_end_id=row.end_to_end_id,
            reported=[row.result],
        )


ListedCollection = RequestedCollectionResponse | CollectionResponse | UnmatchedResultResponse


class MandateResponse(BaseModel):
    """The mandate that an order falls under; of its account only the last four digits."""

    reference: str
    scheme: str
    signed_on: date | None
    iban_ends_with: str | None

    @classmethod
    def of(cls, row: Mandate) -> "MandateResponse":
        """This mandate."""
        return cls(
            reference=row.reference,
            scheme=row.scheme,
            signed_on=row.signed_on,
            iban_ends_with=(row.iban or "")[-4:] or None,
        )


class OrderResponse(BaseModel):
    """One order, its mandate and all attempts to collect it."""

    order_reference: str | None
    onboarding_id: str
    office_code: str | None
    company: str
    package: Package
    payer: str
    amount_cents: int
    currency: str
    placed_on: date | None
    signed_on: date | None
    signature_method: str | None
    released: bool
    withdrawn: bool
    revision: int
    mandate: MandateResponse | None
    collections: list[CollectionResponse]

    @classmethod
    def of(
        cls, order: Order, mandate: Mandate | None, collections: Sequence[Collection]
    ) -> "OrderResponse":
        """This order."""
        event = order.registration()
        return cls(
            order_reference=order.reference,
            onboarding_id=order.onboarding_id,
            office_code=order.office_code,
            company=event.customer.company,
            package=event.package,
            payer=event.payer.kind,
            amount_cents=order.amount_cents,
            currency=order.currency,
            placed_on=order.placed_on,
            signed_on=order.signed_on,
            signature_method=order.signature_method,
            released=order.released,
            withdrawn=order.withdrawn,
            revision=order.revision,
            mandate=MandateResponse.of(mandate) if mandate else None,
            collections=[CollectionResponse.of(row) for row in collections],
        )


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
        "reported": row.results,
    }
