"""A service that runs alone has its own part of the pages, and no other's."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from infra.operations.pages.routes import operations_pages
from infra.run.runtimes import BusFactory, build_runtimes
from shared.host.settings import Settings


def paths_of(folder: Path, *names: str) -> set[str]:
    """The pages for operators in a process that runs these services."""
    settings = Settings(data_dir=folder)
    runtimes = build_runtimes(settings, BusFactory(settings), names)
    app = FastAPI(openapi_url=None)
    app.include_router(operations_pages(runtimes))
    for runtime in runtimes:
        runtime.database.close()
    return {str(route.path) for route in iter_route_contexts(app.routes)}


def test_the_frame_is_in_the_process_that_signs_staff_in_alone(tmp_path: Path) -> None:
    assert "/operations" in paths_of(tmp_path, "activation")
    assert "/operations" not in paths_of(tmp_path, "billing")
    assert "/operations/{service}/part" in paths_of(tmp_path, "billing")
