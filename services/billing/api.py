"""HTTP in: orders and their confirmations, signatures, and what KING reports."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AfterValidator, BaseModel, Field
from sqlmodel import Session, col, select

from services.billing.collection.api import router as collection_router
from services.billing.commands import SignOrder, WithdrawSignature
from services.billing.confirmation.document import Document
from services.billing.confirmation.notices import Documents
from services.billing.models import Collection, Mandate, Order
from services.billing.orders import find_orders
from services.billing.responses import (
    OrderListed,
    OrderResponse,
    SignatureResponse,
    SignatureWithdrawnResponse,
)
from shared.base.errors import Conflict, Reject
from shared.events import (
    CollectionCancelled,
    Event,
    OrderConfirmationSigned,
    OrderSignatureWithdrawn,
)
from shared.events.shapes import Day
from shared.host.runtime import Runtime
from shared.processing import Effect, EventFor
from shared.trade.iban import sepa_iban
from shared.trade.text import PlainLine
from shared.web.app import IdempotencyKey, api_router, caller_with
from shared.web.auth import Caller, not_there
from shared.web.paging import NEXT_PAGE, Page

Reader = Annotated[Caller, Depends(caller_with("orders:read"))]
BackOffice = Annotated[Caller, Depends(caller_with("orders:confirm"))]
E = TypeVar("E", bound=Event)
Listed = Literal["unsigned", "signed", "released", "suspended"]


class Signature(BaseModel):
    """The signed confirmation, as it came in."""

    method: Literal["post", "fax", "scan", "online"]
    signed_on: Day
    signed_by: PlainLine = Field(min_length=1, max_length=200)
    iban: Annotated[str, AfterValidator(sepa_iban)] | None = None
    account_holder: PlainLine | None = Field(default=None, min_length=1, max_length=200)


class Slip(BaseModel):
    """Why a recorded signature is taken back."""

    reason: PlainLine = Field(min_length=1, max_length=200)


def router(runtime: Runtime) -> APIRouter:
    """Billing's routes."""
    routes = api_router(prefix="/api")
    orders = api_router(prefix="/orders", tags=["orders"])
    _add_reading(orders, runtime)
    _add_signing(orders, runtime)
    routes.include_router(orders)
    routes.include_router(collection_router(runtime))
    return routes


def _add_reading(routes: APIRouter, runtime: Runtime) -> None:
    documents = runtime.resource(Documents)

    @routes.get("", summary="Orders, by how far they have come", responses=NEXT_PAGE)
    def list_orders(
        caller: Reader,
        page: Annotated[Page, Depends()],
        status: Annotated[Listed | None, Query()] = None,
        q: Annotated[
            str | None,
            Query(max_length=200, description="a reference, or how the company's name begins"),
        ] = None,
    ) -> list[OrderListed]:
        q = "".join(filter(str.isprintable, q or "")).strip() or None
        reference = q and documents.reference_of(q)
        with runtime.reading() as session:
            rows = find_orders(session, page, caller.office, status, q, reference)
        return [OrderListed.of(row) for row in rows]

    @routes.get("/{reference}", summary="One order, and what people did about it")
    def show(reference: str, caller: Reader) -> OrderResponse:
        with runtime.reading() as session:
            order = _load_or_404(session, caller, documents.reference_of(reference))
            mandate = session.get(Mandate, order.mandate_key)
            query = select(Collection).where(Collection.order_reference == order.reference)
            collections = session.exec(query.order_by(col(Collection.attempt))).all()
            acts = runtime.acts(session, order.onboarding_id)
        return OrderResponse.of(order, mandate, collections, acts)

    @routes.get(
        "/{reference}/confirmation.pdf",
        summary="The order/direct-debit confirmation",
        response_class=Response,
        responses={200: {"content": {"application/pdf": {}}}},
    )
    def show_confirmation(reference: str, caller: Reader) -> Response:
        with runtime.reading() as session:
            order = _load_or_404(session, caller, documents.reference_of(reference))
            confirmation = documents.confirmation_of(session, order)
        try:
            document = Document.of(confirmation)
        except Reject as refusal:
            raise Conflict("document_not_made", str(refusal)) from None
        disposition = f'inline; filename="{document.filename}"'
        return Response(
            document.content,
            media_type="application/pdf",
            headers={"Content-Disposition": disposition},
        )


def _add_signing(routes: APIRouter, runtime: Runtime) -> None:
    documents = runtime.resource(Documents)

    @routes.post("/{reference}/signature", status_code=202, summary="It came back, signed")
    def sign(
        reference: str, body: Signature, caller: BackOffice, key: IdempotencyKey = None
    ) -> SignatureResponse:
        with runtime.reading() as session:
            order = _load_or_404(session, caller, documents.reference_of(reference))
        command = SignOrder(order_reference=order.reference or "", **body.model_dump())
        effects = runtime.handle(command, subject=order.onboarding_id, by=caller.person, key=key)
        signed = [event.order_reference for event in _events(effects, OrderConfirmationSigned)]
        with runtime.reading() as session:
            order = _load_or_404(session, caller, command.order_reference)
            mandate = session.get_one(Mandate, order.mandate_key)
        return SignatureResponse.of(order, mandate, signed)

    @routes.delete("/{reference}/signature", status_code=202, summary="The signature was a mistake")
    def withdraw_signature(
        reference: str, body: Slip, caller: BackOffice, key: IdempotencyKey = None
    ) -> SignatureWithdrawnResponse:
        with runtime.reading() as session:
            order = _load_or_404(session, caller, documents.reference_of(reference))
            mandate = session.get_one(Mandate, order.mandate_key)
        command = WithdrawSignature(order_reference=order.reference or "", reason=body.reason)
        effects = runtime.handle(command, subject=order.onboarding_id, by=caller.person, key=key)
        return SignatureWithdrawnResponse.of(
            order,
            mandate,
            reason=body.reason,
            unsigned=[event.order_reference for event in _events(effects, OrderSignatureWithdrawn)]
            or [command.order_reference],
            cancelled=[event.end_to_end_id for event in _events(effects, CollectionCancelled)],
        )


def _events(effects: Sequence[Effect] | None, kind: type[E]) -> list[E]:
    """The events of one kind among what was done; none when it had been done before."""
    events = [effect.event for effect in effects or () if isinstance(effect, EventFor)]
    return [event for event in events if isinstance(event, kind)]


def _load_or_404(session: Session, caller: Caller, reference: str) -> Order:
    order = session.exec(select(Order).where(Order.reference == reference)).one_or_none()
    if order is None:
        raise not_there()
    caller.require_office(order.office_code)
    return order
