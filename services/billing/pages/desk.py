"""KING's desk: orders are found by scanning or searching, and what came back is recorded."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from services.billing.confirmation.notices import Documents
from services.billing.models import Order
from services.billing.orders import Listed, find_orders, load_order
from services.billing.pages.desk_view import order_row
from services.billing.pages.desk_words import REFUSALS, TABS
from shared.base.errors import FieldError, NotFound
from shared.base.text import findable
from shared.host.runtime import Runtime
from shared.web.auth import Caller
from shared.web.pages import (
    EventSourceResponse,
    FormView,
    PageTemplates,
    ServerSentEvent,
    Words,
    changes,
    fingerprint,
    language_of,
    pages_router,
    see_other,
    staff_with,
)
from shared.web.paging import LONGEST_AFTER, Page

Reader = Annotated[Caller, Depends(staff_with("orders:read"))]

templates = PageTemplates(Path(__file__).parents[1] / "templates" / "pages")


class Asked:
    """Which orders somebody asks for: what they scanned or typed, and at which stage."""

    def __init__(
        self,
        q: Annotated[str | None, Query(max_length=200)] = None,
        status: Annotated[Listed | None, Query()] = None,
        after: Annotated[str | None, Query(max_length=LONGEST_AFTER)] = None,
    ) -> None:
        self.q = findable(q or "") or None
        self.after = after
        # Whoever looks for an order need not know how far it has come.
        self.stage: Listed | None = status or (None if self.q else "unsigned")

    def query(self, **more: str | None) -> str:
        """The same as the query of an address."""
        values = {"q": self.q, "status": self.stage, "after": self.after, **more}
        return urlencode({name: value for name, value in values.items() if value is not None})

    def tabs(self) -> list[tuple[str, Words, None, bool]]:
        """The same at each stage."""
        return [
            (f"/orders?{self.query(status=stage, after=None)}", words, None, stage == self.stage)
            for stage, words in TABS.items()
        ]


Asking = Annotated[Asked, Depends()]


def desk_pages(runtime: Runtime) -> APIRouter:
    """The list, where the scanner is; below it each order has a page of its own."""
    routes = pages_router()
    documents = runtime.resource(Documents)

    def read(request: Request, caller: Caller, asked: Asked) -> tuple[list[Order], Page]:
        page = Page(request, after=asked.after)
        with runtime.reading() as session:
            rows = find_orders(
                session,
                page,
                caller.office,
                asked.stage,
                asked.q,
                documents.reference_of,
                by_payer=True,
            )
        return rows, page

    @routes.get("/orders")
    def show(
        request: Request,
        caller: Reader,
        asked: Asking,
        recorded: Annotated[str | None, Query(max_length=35)] = None,
    ) -> Response:
        try:
            rows, page = read(request, caller, asked)
        except NotFound as refusal:
            return _page(request, asked, scanned=refusal, status=404)
        if _is_the_one(asked, rows, documents):
            return see_other(f"/orders/{rows[0].reference}", **_method(request))
        done = _recorded(runtime, caller, recorded) if recorded else None
        return _page(request, asked, rows=rows, next_page=page.next, done=done)

    @routes.get("/orders/changes", response_class=EventSourceResponse)
    async def show_changes(
        request: Request, caller: Reader, asked: Asking
    ) -> AsyncIterator[ServerSentEvent]:
        async for event in changes(request, lambda: _version(read(request, caller, asked)[0])):
            yield event

    return routes


def _page(
    request: Request,
    asked: Asked,
    *,
    rows: list[Order] | None = None,
    next_page: str | None = None,
    done: Order | None = None,
    scanned: NotFound | None = None,
    status: int = 200,
) -> Response:
    """The list; what was scanned or typed is never left in the field, where the next is scanned."""
    is_fragment = request.headers.get("hx-request") == "true"
    return templates.page(
        request,
        "desk/_list.html" if is_fragment else "desk/orders.html",
        status=status,
        form=FormView(errors=(_scan_error(scanned, request),) if scanned else ()),
        asked=asked,
        rows=[order_row(row) for row in rows or ()],
        next_page=next_page,
        done=order_row(done) if done else None,
        version=_version(rows or []),
        **_method(request),
    )


def _scan_error(refusal: NotFound, request: Request) -> FieldError:
    words = REFUSALS["seal_wrong"]
    return FieldError(field="q", code=refusal.code, message=words.in_(language_of(request)))


def _is_the_one(asked: Asked, rows: list[Order], documents: Documents) -> bool:
    """Whether an order was named, by its number or by the code on its paper."""
    return bool(asked.q and len(rows) == 1 and rows[0].reference == documents.reference_of(asked.q))


def _recorded(runtime: Runtime, caller: Caller, reference: str) -> Order | None:
    """The order that was recorded just now, unless that was undone since."""
    try:
        with runtime.reading() as session:
            order = load_order(session, caller, reference)
    except NotFound:
        return None
    return order if order.signed else None


def _method(request: Request) -> Mapping[str, Any]:
    """How the paper before came in: the next one will have come in the same way."""
    method = request.query_params.get("method", "")
    return {"method": method} if method in ("post", "fax", "scan") else {}


def _version(rows: list[Order]) -> str:
    return fingerprint([(row.reference, row.stage, row.scan_at, row.posted_on) for row in rows])
