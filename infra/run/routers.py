"""What a process answers over HTTP for the services in it: their calls, their pages, operations."""

from collections.abc import Sequence

from fastapi import APIRouter

from infra.operations.dead_letters import routes
from infra.operations.pages.routes import operations_pages
from shared.host.runtime import Runtime


def service_routers(runtimes: Sequence[Runtime]) -> list[APIRouter]:
    """The routers of these services; everything below their paths is theirs alone."""
    routers = [runtime.service.router(runtime) for runtime in runtimes]
    routers += [runtime.service.pages(runtime) for runtime in runtimes if runtime.service.pages]
    return [*routers, routes.routes(runtimes), operations_pages(runtimes)]
