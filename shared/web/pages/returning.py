"""Where a page can be opened again that was shown in answer to a form, which has a path of its own.

A form for a part of a page is posted below it (`/status/{token}/contact`). Where the page is shown
once more, with what is wrong in it, its own address answers to nobody who merely opens it.
"""

from collections.abc import Iterator

from fastapi import Request
from fastapi.routing import iter_route_contexts
from starlette.routing import compile_path

from shared.web.pages.guards import SAFE_METHODS


def path_to_open(request: Request) -> str:
    """The path of the page in hand; empty where that is the one which was asked for."""
    if request.method in SAFE_METHODS:
        return ""
    path, template = request.url.path, _template_of(request)
    readable = {template for template, methods in _routes(request) if "GET" in methods}
    # By their templates: an id in a path may hold slashes, and so look like any path below it.
    while template and template not in readable:
        path, template = path.rpartition("/")[0], template.rpartition("/")[0]
    return path if template else ""


def _template_of(request: Request) -> str:
    fitting = (
        template
        for template, methods in _routes(request)
        if request.method in methods and compile_path(template)[0].match(request.url.path)
    )
    return next(fitting, "")


def _routes(request: Request) -> Iterator[tuple[str, frozenset[str]]]:
    for route in iter_route_contexts(request.app.routes):
        yield route.path or "", frozenset(route.methods or ())
