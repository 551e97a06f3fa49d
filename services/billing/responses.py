"""What the routes of orders answer: orders, and their signatures."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel

from services.billing.collection.responses import CollectionResponse
from services.billing.confirmation.signing import recorded
from services.billing.models import Collection, Mandate, Order
from services.billing.models.money import to_pay_back_cents
from shared.events.shapes import Package
from shared.host.requests import RecordedAct


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


class SignatureResponse(BaseModel):
    """A recorded signature: whose order, how much, from which account.

    `also_signed` are the other orders that the same mandate covers since.
    """

    order_reference: str
    company: str
    amount_cents: int
    currency: str
    method: str | None
    signed_on: date | None
    signed_by: str | None
    received_at: datetime | None
    mandate_reference: str
    iban_ends_with: str | None
    account_holder: str | None
    also_signed: list[str]

    @classmethod
    def of(cls, order: Order, mandate: Mandate, signed: Sequence[str]) -> "SignatureResponse":
        """The signature of this order; `signed` are all that were signed with it."""
        others = [reference for reference in signed if reference != order.reference]
        return cls(**recorded(order, mandate), also_signed=others)


class SignatureWithdrawnResponse(BaseModel):
    """A signature that was taken back: whose order, how much, from which account it had been.

    `unsigned` are all orders that wait for a signature again, `cancelled` the end-to-end ids that
    KING need not collect.
    """

    order_reference: str
    company: str
    amount_cents: int
    currency: str
    iban_ends_with: str | None
    account_holder: str | None
    reason: str
    unsigned: list[str]
    cancelled: list[str]

    @classmethod
    def of(
        cls,
        order: Order,
        mandate: Mandate,
        *,
        reason: str,
        unsigned: Sequence[str],
        cancelled: Sequence[str],
    ) -> "SignatureWithdrawnResponse":
        """What was undone of this order and mandate, which are those of before."""
        had = recorded(order, mandate)
        return cls(
            **{name: had[name] for name in cls.model_fields if name in had},
            reason=reason,
            unsigned=list(unsigned),
            cancelled=list(cancelled),
        )


class OrderListed(BaseModel):
    """One order in a list; `status` says how far it has come."""

    order_reference: str | None
    onboarding_id: str
    office_code: str | None
    company: str
    package: str
    payer: str
    amount_cents: int
    currency: str
    placed_on: date | None
    signed_on: date | None
    status: str

    @classmethod
    def of(cls, order: Order) -> "OrderListed":
        """This order."""
        return cls(**_summary(order), package=order.registration().package.code)


class OrderResponse(BaseModel):
    """One order, its mandate, all attempts to collect it, and what people did about it.

    `to_pay_back_cents` is how much of the money that is there must go back to the payer.
    """

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
    signed_by: str | None
    signature_method: str | None
    status: str
    released: bool
    withdrawn: bool
    revision: int
    to_pay_back_cents: int
    mandate: MandateResponse | None
    collections: list[CollectionResponse]
    acts: list[RecordedAct]

    @classmethod
    def of(
        cls,
        order: Order,
        mandate: Mandate | None,
        collections: Sequence[Collection],
        acts: list[RecordedAct],
    ) -> "OrderResponse":
        """This order."""
        return cls(
            **_summary(order),
            package=order.registration().package,
            signed_by=order.signed_by,
            signature_method=order.signature_method,
            released=order.released,
            withdrawn=order.withdrawn,
            revision=order.revision,
            to_pay_back_cents=to_pay_back_cents(collections, withdrawn=order.withdrawn),
            mandate=MandateResponse.of(mandate) if mandate else None,
            collections=[CollectionResponse.of(row) for row in collections],
            acts=acts,
        )


def _summary(order: Order) -> dict[str, Any]:
    event = order.registration()
    return {
        "order_reference": order.reference,
        "onboarding_id": order.onboarding_id,
        "office_code": order.office_code,
        "company": event.customer.company,
        "payer": event.payer.kind,
        "amount_cents": order.amount_cents,
        "currency": order.currency,
        "placed_on": order.placed_on,
        "signed_on": order.signed_on,
        "status": order.stage,
    }
