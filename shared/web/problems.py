"""RFC 9457 problem documents: every failure that a caller sees is made here.

Errors have a stable `code` and a sentence for a person. This is also the one place that turns a
database that is away into 503.
"""

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from shared.base.errors import FieldError, InfrastructureDown, Problem, Unavailable
from shared.persistence.database import Trouble, diagnose
from shared.web.documentation import PROBLEM_JSON

log = structlog.get_logger()


def add_problem_handlers(app: FastAPI) -> None:
    """Have every failure of this application answered with a problem document."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(InfrastructureDown, _on_down)
    app.add_exception_handler(SQLAlchemyError, _on_database)
    app.add_exception_handler(Exception, _on_crash)


def problem_response(problem: Problem) -> JSONResponse:
    """The RFC 9457 document of a problem."""
    document: dict[str, Any] = {
        "type": f"urn:stappenplan:problem:{problem.code}",
        "title": problem.code.replace("_", " "),
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
    }
    if problem.errors:
        document["errors"] = [error.model_dump() for error in problem.errors]
    # Also where an answer is made before all else, and nobody else adds this.
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if "retry_after" in problem.extra:
        headers["Retry-After"] = str(problem.extra["retry_after"])
    return JSONResponse(
        # Whatever a problem tells besides, it never takes the place of what every problem tells.
        problem.extra | document,
        status_code=problem.status,
        media_type=PROBLEM_JSON,
        headers=headers,
    )


def _on_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - what this handler is registered for.
    return problem_response(error)


def _on_invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as above.
    errors = [
        FieldError(
            field=".".join(str(part) for part in fault["loc"] if part != "body")[:200] or "body",
            code=str(fault["type"])[:80],
            message=str(fault["msg"])[:500],
        )
        for fault in error.errors()[:50]
    ]
    problem = Problem("invalid", "Some fields are missing or wrong.", errors=errors)
    problem.status = 422
    return problem_response(problem)


def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as above.
    codes: Mapping[int, str] = {404: "not_found", 405: "method_not_allowed"}
    problem = Problem(codes.get(error.status_code, "http_error"), str(error.detail))
    problem.status = error.status_code
    response = problem_response(problem)
    response.headers.update(error.headers or {})
    if error.status_code == 405:
        # The routes of one path are several: what was raised names the methods of the first.
        response.headers["Allow"] = ", ".join(sorted(_methods_at(request)))
    return response


def _methods_at(request: Request) -> set[str]:
    """What this path can be asked, by all routes that it has."""
    return {
        method
        for route in iter_route_contexts(request.app.routes)
        if compile_path(route.path or "")[0].match(request.url.path)
        for method in route.methods or ()
    }


def _on_down(_request: Request, _error: Exception) -> Response:
    away = "The database is away for a moment; please try again."
    return problem_response(Unavailable("try_later", away))


def _on_database(request: Request, error: Exception) -> Response:
    """What a route's own query met, outside of any transaction that would have told it apart."""
    on_fault = _on_crash if diagnose(error) is Trouble.MESSAGE else _on_down
    return on_fault(request, error)


def _on_crash(request: Request, error: Exception) -> Response:
    log.error("request_failed", path=request.url.path, exc_info=error)
    problem = Problem("internal_error", "Something went wrong on our side; it was recorded.")
    problem.status = 500
    return problem_response(problem)
