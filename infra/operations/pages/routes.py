"""All pages for operators, of the services that run in this process."""

from collections.abc import Sequence

from fastapi import APIRouter

from infra.operations.pages.deciding import decision_routes
from infra.operations.pages.frame import frame_routes
from infra.operations.pages.letters import letter_routes
from infra.operations.pages.rehearsing import rehearsal_routes
from infra.operations.pages.rounds import round_routes
from shared.host.runtime import Runtime
from shared.web.pages import pages_router


def operations_pages(runtimes: Sequence[Runtime]) -> APIRouter:
    """The routes; what ends in a word of its own comes before an id, which may hold a slash."""
    routes = pages_router()
    for make in (rehearsal_routes, decision_routes, letter_routes, round_routes, frame_routes):
        routes.include_router(make(runtimes))
    return routes
