"""What the back office records of signed papers: over HTTP and at the desk, by the same rules."""

from collections.abc import Sequence
from typing import Literal, TypeVar

from pydantic import BaseModel, Field
from sqlmodel import select

from services.billing.commands import SignOrder, WithdrawSignature
from services.billing.models import Mandate, Order
from services.billing.orders import load_order
from services.billing.responses import SignatureResponse, SignatureWithdrawnResponse
from services.billing.signing.fields import Iban, Signer
from shared.events import (
    CollectionCancelled,
    Event,
    OrderConfirmationSigned,
    OrderSignatureWithdrawn,
)
from shared.events.shapes import Day
from shared.host.runtime import Runtime
from shared.processing import Effect, EventFor
from shared.trade.text import PlainLine
from shared.web.auth import Caller

E = TypeVar("E", bound=Event)


class Signature(BaseModel):
    """The signed confirmation, as it came in."""

    method: Literal["post", "fax", "scan", "online"]
    signed_on: Day
    signed_by: Signer
    iban: Iban | None = None
    account_holder: Signer | None = None


class Slip(BaseModel):
    """Why a recorded signature is taken back."""

    reason: PlainLine = Field(min_length=1, max_length=200)


def record_signature(
    runtime: Runtime, caller: Caller, reference: str, signature: Signature, key: str | None
) -> SignatureResponse:
    """Record that the confirmation of an order came back, signed; the same again is harmless.

    Raises:
        NotFound: there is no such order for the caller.
        Conflict: it is signed with other data, or withdrawn.
        Invalid: it cannot have been signed on that day, or no IBAN is known.
    """
    with runtime.reading() as session:
        order = load_order(session, caller, reference)
    command = SignOrder(order_reference=order.reference or "", **signature.model_dump())
    effects = runtime.handle(command, subject=order.onboarding_id, by=caller.person, key=key)
    signed = [event.order_reference for event in _events(effects, OrderConfirmationSigned)]
    with runtime.reading() as session:
        query = select(Order, Mandate).where(Order.mandate_key == Mandate.key)
        recorded = session.exec(query.where(Order.onboarding_id == order.onboarding_id)).one()
    return SignatureResponse.of(*recorded, signed)


def take_back_signature(
    runtime: Runtime, caller: Caller, reference: str, slip: Slip, key: str | None
) -> SignatureWithdrawnResponse:
    """Take back a signature that was recorded by mistake.

    Raises:
        NotFound: there is no such order for the caller.
        Conflict: nothing is signed, another order's paper covers this one, or KING has reported.
    """
    with runtime.reading() as session:
        order = load_order(session, caller, reference)
        mandate = session.get_one(Mandate, order.mandate_key)
    command = WithdrawSignature(order_reference=order.reference or "", reason=slip.reason)
    effects = runtime.handle(command, subject=order.onboarding_id, by=caller.person, key=key)
    return SignatureWithdrawnResponse.of(
        order,
        mandate,
        reason=slip.reason,
        unsigned=[event.order_reference for event in _events(effects, OrderSignatureWithdrawn)]
        or [command.order_reference],
        cancelled=[event.end_to_end_id for event in _events(effects, CollectionCancelled)],
    )


def _events(effects: Sequence[Effect] | None, kind: type[E]) -> list[E]:
    """The events of one kind among what was done; none when it had been done before."""
    events = [effect.event for effect in effects or () if isinstance(effect, EventFor)]
    return [event for event in events if isinstance(event, kind)]
