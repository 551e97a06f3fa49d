"""HTTP for people: the payer's page, and the desk where KING records what comes back."""

from fastapi import APIRouter

from services.billing.pages.desk import desk_pages
from services.billing.pages.desk_order import order_pages
from services.billing.pages.held import held_pages
from services.billing.pages.payer import payer_pages
from services.billing.pages.payer_returned import returned_pages
from shared.host.runtime import Runtime
from shared.web.pages import pages_router


def pages(runtime: Runtime) -> APIRouter:
    """Billing's pages, each room its own."""
    routes = pages_router()
    for room in (payer_pages, desk_pages, returned_pages, order_pages, held_pages):
        routes.include_router(room(runtime))
    return routes
