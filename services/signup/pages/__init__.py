"""INSCHRIJVEN for people: the sign-up form, withdrawing, KING's offices, the webmaster's bench."""

from fastapi import APIRouter

from services.signup.pages import bench, offices, signing_up, staff, withdrawing
from shared.host.runtime import Runtime
from shared.web.pages import pages_router


def pages(runtime: Runtime) -> APIRouter:
    """Signup's screens."""
    routes = pages_router()
    signing_up.add_pages(routes, runtime)
    bench.add_pages(routes, runtime)
    offices.add_pages(routes, runtime)
    withdrawing.add_pages(routes, runtime)
    staff.add_pages(routes, runtime)
    return routes
