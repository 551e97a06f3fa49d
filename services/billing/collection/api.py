"""HTTP in: what KING should collect, what it reports, and what a person must decide."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Query
from fastapi.exceptions import RequestValidationError
from pydantic import Field, TypeAdapter, ValidationError
from sqlalchemy import text
from sqlmodel import Session, col, select

from services.billing.collection.answers import taken
from services.billing.collection.held import (
    Decision,
    decide_result,
    results_to_decide,
    subject_of,
)
from services.billing.collection.responses import (
    DecisionResponse,
    HeldResultResponse,
    RequestedCollectionResponse,
    TakenResponse,
)
from services.billing.models import Collection, Mandate, Order
from services.billing.models.collection import TO_COLLECT
from shared.events import CollectionResult
from shared.host.runtime import Runtime
from shared.host.settings import Settings
from shared.web.app import IdempotencyKey, api_router, caller_with, inlined
from shared.web.auth import Caller
from shared.web.paging import NEXT_PAGE, Page

BackOffice = Annotated[Caller, Depends(caller_with("orders:confirm"))]
King = Annotated[Caller, Depends(caller_with("collections:report"))]
MOST_RESULTS = 1000
Results = Annotated[list[CollectionResult], Field(min_length=1, max_length=MOST_RESULTS)]
REPORT = TypeAdapter(Results)


def router(runtime: Runtime) -> APIRouter:
    """The routes of collections and their results."""
    routes = api_router(prefix="/api", tags=["collections"])
    _add_lists(routes, runtime)
    _add_reporting(routes, runtime)
    _add_deciding(routes, runtime)
    return routes


def _add_lists(routes: APIRouter, runtime: Runtime) -> None:
    @routes.get("/collections", summary="What KING should collect", responses=NEXT_PAGE)
    def list_collections(
        caller: King,
        page: Annotated[Page, Depends()],
        status: Annotated[Literal["requested"], Query()] = "requested",
    ) -> list[RequestedCollectionResponse]:
        with runtime.reading() as session:
            return _to_collect(session, caller.office, page, runtime.settings)

    @routes.get("/held-results", summary="What a person must decide", responses=NEXT_PAGE)
    def list_held(caller: BackOffice, page: Annotated[Page, Depends()]) -> list[HeldResultResponse]:
        with runtime.reading() as session:
            return results_to_decide(session, caller.office, page)


def _add_reporting(routes: APIRouter, runtime: Runtime) -> None:
    @routes.post(
        "/collection-results",
        status_code=202,
        summary="What became of a collection, or of at most 1,000",
        openapi_extra=_as_reported(),
    )
    def report(
        body: Annotated[Any, Body()], caller: King, key: IdempotencyKey = None
    ) -> TakenResponse:
        results = _read(body)
        with runtime.reading() as session:
            orders = _orders_of(session, results)
        for result in results:
            order = orders.get(result.order_reference)
            caller.require_office(order.office_code if order else None)
        runtime.handle_events(
            CollectionResult.event_type,
            [
                (
                    subject_of(orders.get(result.order_reference), result.order_reference),
                    result.model_dump(mode="json", exclude_none=True),
                )
                for result in results
            ],
            source="/king-billing",
            by=caller.person,
            key=key,
        )
        with runtime.reading() as session:
            return taken(session, results, orders)


def _add_deciding(routes: APIRouter, runtime: Runtime) -> None:
    @routes.post("/held-results/{result_id}/decide", status_code=202, summary="Decide one result")
    def decide(
        result_id: str, body: Decision, caller: BackOffice, key: IdempotencyKey = None
    ) -> DecisionResponse:
        return decide_result(runtime, caller, result_id, body, key)


def _orders_of(session: Session, results: Sequence[CollectionResult]) -> dict[str, Order]:
    """The known orders that these results are about, by reference."""
    references = {result.order_reference for result in results}
    query = select(Order).where(col(Order.reference).in_(references))
    return {order.reference or "": order for order in session.exec(query)}


def _read(body: Any) -> list[CollectionResult]:
    """One result, or a list of them; what is wrong is named as in any other body."""
    try:
        if isinstance(body, list):
            return REPORT.validate_python(body)
        return [CollectionResult.model_validate(body)]
    except ValidationError as refusal:
        faults = refusal.errors(include_url=False, include_input=False)
        raise RequestValidationError(
            [{**fault, "loc": ("body", *fault["loc"])} for fault in faults]
        ) from None


def _as_reported() -> dict[str, Any]:
    """What the body holds, for the OpenAPI document."""
    one_or_many: TypeAdapter[Any] = TypeAdapter(CollectionResult | Results)
    schema = inlined(one_or_many.json_schema())
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _to_collect(
    session: Session, office: str | None, page: Page, settings: Settings
) -> list[RequestedCollectionResponse]:
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
