"""HTTP in: orders and their confirmations, signatures, and what KING reports."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from sqlmodel import col, select

from services.billing.collection.api import router as collection_router
from services.billing.confirmation.download import as_pdf
from services.billing.confirmation.notices import Documents
from services.billing.models import Collection, Mandate
from services.billing.orders import Listed, find_orders, load_order
from services.billing.recording import (
    Signature,
    Slip,
    record_signature,
    take_back_signature,
)
from services.billing.responses import (
    OrderListed,
    OrderResponse,
    SignatureResponse,
    SignatureWithdrawnResponse,
)
from shared.host.runtime import Runtime
from shared.web.app import IdempotencyKey, api_router, caller_with
from shared.web.auth import Caller
from shared.web.paging import NEXT_PAGE, Page

Reader = Annotated[Caller, Depends(caller_with("orders:read"))]
BackOffice = Annotated[Caller, Depends(caller_with("orders:confirm"))]


def router(runtime: Runtime) -> APIRouter:
    """Billing's routes."""
    routes = api_router()
    orders = api_router(prefix="/api/orders", tags=["orders"])
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
        with runtime.reading() as session:
            rows = find_orders(session, page, caller.office, status, q, documents.reference_of)
        return [OrderListed.of(row) for row in rows]

    @routes.get("/{reference}", summary="One order, and what people did about it")
    def show(reference: str, caller: Reader) -> OrderResponse:
        with runtime.reading() as session:
            order = load_order(session, caller, documents.reference_of(reference))
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
            order = load_order(session, caller, documents.reference_of(reference))
            confirmation = documents.confirmation_of(session, order)
        return as_pdf(confirmation, "inline")


def _add_signing(routes: APIRouter, runtime: Runtime) -> None:
    documents = runtime.resource(Documents)

    @routes.post("/{reference}/signature", status_code=202, summary="It came back, signed")
    def sign(
        reference: str, body: Signature, caller: BackOffice, key: IdempotencyKey = None
    ) -> SignatureResponse:
        named = documents.reference_of(reference)
        return record_signature(runtime, caller, named, body, key)

    @routes.delete("/{reference}/signature", status_code=202, summary="The signature was a mistake")
    def withdraw_signature(
        reference: str, body: Slip, caller: BackOffice, key: IdempotencyKey = None
    ) -> SignatureWithdrawnResponse:
        named = documents.reference_of(reference)
        return take_back_signature(runtime, caller, named, body, key)
