"""Registration's screens: the office checks, corrects, registers or declines."""

from fastapi import APIRouter

from services.registration.pages.administration import administration_pages
from services.registration.pages.correction import correction_pages
from services.registration.pages.review import review_pages
from shared.host.runtime import Runtime
from shared.web.pages import pages_router


def pages(runtime: Runtime) -> APIRouter:
    """All of them."""
    routes = pages_router()
    for part in (review_pages, correction_pages, administration_pages):
        routes.include_router(part(runtime))
    return routes
