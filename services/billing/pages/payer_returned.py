"""For KING's staff: what a payer returned by themselves, and the scans that they sent."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.billing.confirmation.notices import Documents
from services.billing.orders import load_order
from services.billing.signing.evidence import returned_of
from services.billing.signing.scans import SUFFIXES, load_scan
from shared.host.runtime import Runtime
from shared.web.auth import Caller
from shared.web.pages import PageTemplates, pages_router, staff_with

BackOffice = Annotated[Caller, Depends(staff_with("orders:confirm"))]
SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"
"""Whatever a stranger put into a file: a browser that shows it all the same runs nothing of it."""


def returned_pages(runtime: Runtime) -> APIRouter:
    """What the payer returned, below the page of its order."""
    routes = pages_router(prefix="/orders")
    documents = runtime.resource(Documents)
    templates = PageTemplates(Path(__file__).parents[1] / "templates" / "pages")

    @routes.get("/{reference}/returned")
    def show(request: Request, reference: str, caller: BackOffice) -> Response:
        with runtime.reading() as session:
            order = load_order(session, caller, documents.reference_of(reference))
            returned = returned_of(session, order)
        is_fragment = request.headers.get("hx-request") == "true"
        name = "payer/evidence.html" if is_fragment else "payer/returned.html"
        return templates.page(request, name, order=order, returned=returned)

    @routes.get("/{reference}/scans/{scan_id}")
    def download(reference: str, scan_id: str, caller: BackOffice) -> Response:
        with runtime.reading() as session:
            order = load_order(session, caller, documents.reference_of(reference))
            scan = load_scan(session, order.onboarding_id, scan_id)
        filename = f"scan-{order.reference}-{scan.id[:8]}.{SUFFIXES[scan.media_type]}"
        headers = {
            "Content-Disposition": f'attachment; filename="{filename}"',
            "Content-Security-Policy": SANDBOX,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        }
        return Response(scan.content, media_type=scan.media_type, headers=headers)

    return routes
