"""HTTP in: orders and their confirmations, signatures, collections, KING's reports."""

from datetime import date
from typing import Annotated, Literal
from uuid import uuid5

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AfterValidator, BaseModel, Field
from sqlalchemy import text
from sqlmodel import Session, col, select

from services.billing.commands import DecideCollection, SignOrder
from services.billing.confirmation.document import Document
from services.billing.confirmation.notices import Documents
from services.billing.models import Collection, Mandate, Order, UnmatchedResult
from services.billing.models.collection import TO_COLLECT, TO_DECIDE
from services.billing.responses import (
    CollectionResponse,
    ListedCollection,
    OrderResponse,
    RequestedCollectionResponse,
    UnmatchedResultResponse,
)
from shared.base.errors import FieldError, Invalid
from shared.events import CollectionResult
from shared.events.envelope import NAMESPACE
from shared.events.shapes import Day
from shared.host.runtime import Runtime
from shared.host.settings import Settings
from shared.trade.calendar import business_day
from shared.trade.iban import sepa_iban
from shared.trade.text import PlainLine
from shared.web.app import IdempotencyKey, api_router, caller_with
from shared.web.auth import Caller, not_there
from shared.web.paging import NEXT_PAGE, Page

Reader = Annotated[Caller, Depends(caller_with("orders:read"))]
BackOffice = Annotated[Caller, Depends(caller_with("orders:confirm"))]
King = Annotated[Caller, Depends(caller_with("collections:report"))]


class Signature(BaseModel):
    """The signed confirmation, as it came in."""

    method: Literal["post", "fax", "scan", "online"]
    signed_on: Day
    signed_by: PlainLine = Field(min_length=1, max_length=200)
    iban: Annotated[str, AfterValidator(sepa_iban)] | None = None
    account_holder: PlainLine | None = Field(default=None, min_length=1, max_length=200)


class Decision(BaseModel):
    """What a person decides about a held result: it counts after all, or it does not."""

    decision: Literal["accept", "dismiss"]
    reason: PlainLine = Field(min_length=1, max_length=200)


def router(runtime: Runtime) -> APIRouter:
    """Billing's routes."""
    routes = api_router(prefix="/api")
    routes.include_router(_orders(runtime))
    routes.include_router(_collections(runtime))
    return routes


def _orders(runtime: Runtime) -> APIRouter:
    routes = api_router(prefix="/orders", tags=["orders"])
    documents = runtime.resource(Documents)

    @routes.get("/{reference}", summary="One order")
    def show(reference: str, caller: Reader) -> OrderResponse:
        with runtime.reading() as session:
            order = _load_or_404(session, caller, reference)
            mandate = session.get(Mandate, order.mandate_key)
            collections = session.exec(
                select(Collection)
                .where(Collection.order_reference == reference)
                .order_by(col(Collection.attempt))
            ).all()
        return OrderResponse.of(order, mandate, collections)

    @routes.get(
        "/{reference}/confirmation.pdf",
        summary="The order/direct-debit confirmation",
        response_class=Response,
        responses={200: {"content": {"application/pdf": {}}}},
    )
    def show_confirmation(reference: str, caller: Reader) -> Response:
        with runtime.reading() as session:
            order = _load_or_404(session, caller, reference)
            confirmation = documents.confirmation_of(session, order)
        document = Document.of(confirmation)
        disposition = f'inline; filename="{document.filename}"'
        return Response(
            document.content,
            media_type="application/pdf",
            headers={"Content-Disposition": disposition},
        )

    @routes.post("/{reference}/signature", status_code=202, summary="It came back, signed")
    def sign(
        reference: str, body: Signature, caller: BackOffice, key: IdempotencyKey = None
    ) -> None:
        _require_past(body.signed_on, today=business_day(runtime.clock()))
        with runtime.reading() as session:
            order = _load_or_404(session, caller, reference)
        command = SignOrder(order_reference=reference, **body.model_dump())
        runtime.handle(command, subject=order.onboarding_id, by=caller.person, key=key)

    return routes


def _collections(runtime: Runtime) -> APIRouter:
    routes = api_router(tags=["collections"])

    @routes.get(
        "/collections",
        summary="What KING should collect; what a person must decide",
        responses=NEXT_PAGE,
    )
    def list_collections(
        caller: King,
        page: Annotated[Page, Depends()],
        status: Annotated[Literal["requested", "held"], Query()] = "requested",
    ) -> list[ListedCollection]:
        with runtime.reading() as session:
            if status == "held":
                return _held(session, caller.office, page)
            return _to_collect(session, caller.office, page, runtime.settings)

    @routes.post("/collections/{end_to_end_id}/decide", status_code=202, summary="Decide")
    def decide(
        end_to_end_id: str, body: Decision, caller: BackOffice, key: IdempotencyKey = None
    ) -> None:
        if caller.office is not None:
            with runtime.reading() as session:
                _require_held_of(session, caller, end_to_end_id)
        command = DecideCollection(
            end_to_end_id=end_to_end_id,
            decision=body.decision,
            reason=body.reason,
            by=caller.name,
        )
        subject = str(uuid5(NAMESPACE, f"collection/{end_to_end_id}"))
        runtime.handle(command, subject=subject, by=caller.person, key=key)

    @routes.post("/collection-results", status_code=202, summary="What became of a collection")
    def report(body: CollectionResult, caller: King, key: IdempotencyKey = None) -> None:
        with runtime.reading() as session:
            query = select(Order).where(Order.reference == body.order_reference)
            order = session.exec(query).one_or_none()
        caller.require_office(order.office_code if order else None)
        unknown = str(uuid5(NAMESPACE, f"order/{body.order_reference}"))
        runtime.handle_event(
            CollectionResult.event_type,
            body.model_dump(mode="json", exclude_none=True),
            subject=order.onboarding_id if order else unknown,
            source="/king-billing",
            by=caller.person,
            key=key,
        )

    return routes


def _require_past(signed_on: date, *, today: date) -> None:
    if signed_on > today:
        message = "A confirmation cannot have been signed in the future; check the date."
        error = FieldError(field="signed_on", code="in_the_future", message=message)
        raise Invalid("invalid", message, errors=[error])


def _to_collect(
    session: Session, office: str | None, page: Page, settings: Settings
) -> list[ListedCollection]:
    """What KING should collect, for when it does not hear `collection.requested`."""
    query = (
        select(Collection, Mandate)
        .join(Order, col(Order.reference) == Collection.order_reference)
        .join(Mandate, col(Mandate.key) == Order.mandate_key)
        .where(text(TO_COLLECT))
    )
    if office is not None:
        query = query.where(Collection.office_code == office)
    creditor_id = settings.creditor.identifier
    return [
        RequestedCollectionResponse.under(mandate.details(creditor_id), row)
        for row, mandate in page.read(session, query, col(Collection.key))
    ]


def _held(session: Session, office: str | None, page: Page) -> list[ListedCollection]:
    """What a person must decide; results of unknown orders belong to no office."""
    query = select(Collection).where(text(TO_DECIDE))
    if office is not None:
        query = query.where(Collection.office_code == office)
    held = page.read(session, query, col(Collection.key))
    listed: list[ListedCollection] = [CollectionResponse.of(row) for row in held]
    if office is None:
        unmatched = select(UnmatchedResult).where(UnmatchedResult.open == 1)
        order = col(UnmatchedResult.received_at), col(UnmatchedResult.id)
        rows = page.read(session, unmatched, *order, part="unmatched")
        listed += [UnmatchedResultResponse.of(row) for row in rows]
    return listed


def _require_held_of(session: Session, caller: Caller, end_to_end_id: str) -> None:
    query = select(Collection.office_code).where(Collection.end_to_end_id == end_to_end_id)
    for office in session.exec(query).all() or [None]:
        caller.require_office(office)


def _load_or_404(session: Session, caller: Caller, reference: str) -> Order:
    order = session.exec(select(Order).where(Order.reference == reference)).one_or_none()
    if order is None:
        raise not_there()
    caller.require_office(order.office_code)
    return order
