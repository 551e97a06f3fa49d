"""The screens of this step: the work list, its customers, and the customer's own."""

from fastapi import APIRouter

from services.activation.login.pages import login_pages
from services.activation.pages.activating import activating
from services.activation.pages.customer import customer
from services.activation.pages.status import status_pages
from services.activation.pages.together import together
from services.activation.pages.worklist import worklist
from services.activation.staff.pages import staff_pages
from shared.host.runtime import Runtime
from shared.web.pages import pages_router

PARTS = (staff_pages, login_pages, worklist, activating, together, customer, status_pages)
"""What the work list is made of comes before customers by their id."""


def pages(runtime: Runtime) -> APIRouter:
    """All pages of activation."""
    routes = pages_router()
    for part in PARTS:
        routes.include_router(part(runtime))
    return routes
