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
from shared.persistence.faults import in_words, is_unfit
from shared.web.documentation import PROBLEM_JSON
from shared.web.wrong_fields import sentence_for

log = structlog.get_logger()

HTTP_CODES: Mapping[int, str] = {404: "not_found", 405: "method_not_allowed"}


def add_problem_handlers(app: FastAPI) -> None:
    """Have every failure of this application answered with a problem document."""
    for kind in (Problem, RequestValidationError, InfrastructureDown, SQLAlchemyError, Exception):
        app.add_exception_handler(kind, _answer)
    app.add_exception_handler(HTTPException, _on_http)


def as_problem(error: Exception, path: str) -> Problem:
    """What a caller is told of a failure; what is our own fault is logged with its `path`."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return _invalid(error)
    if isinstance(error, HTTPException):
        problem = Problem(HTTP_CODES.get(error.status_code, "http_error"), str(error.detail))
        problem.status = error.status_code
        return problem
    # What a route's own query met is outside of any transaction that would have told it apart.
    is_database = isinstance(error, SQLAlchemyError) and diagnose(error) is not Trouble.MESSAGE
    if is_database or isinstance(error, InfrastructureDown):
        unfit = error.__cause__ or error
        if is_unfit(unfit):
            # It does not come back by itself, and who asks is not who mends it.
            log.error("database_unfit", path=path, error=in_words(unfit))
        away = "The database is away for a moment; please try again."
        return Unavailable("try_later", away)
    log.error("request_failed", path=path, exc_info=error)
    problem = Problem("internal_error", "Something went wrong on our side; it was recorded.")
    problem.status = 500
    return problem


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


def _answer(request: Request, error: Exception) -> Response:
    return problem_response(as_problem(error, route_of(request)))


def route_of(request: Request) -> str:
    """The path as its route has it: what stands in it for a token or a name is told to no log."""
    route = request.scope.get("route")
    return str(getattr(route, "path", "")) or "unknown"


def _invalid(error: RequestValidationError) -> Problem:
    errors = [
        FieldError(
            field=".".join(str(part) for part in fault["loc"] if part != "body")[:200] or "body",
            code=str(fault["type"])[:80],
            message=sentence_for(fault)[:500],
        )
        for fault in error.errors()[:50]
    ]
    problem = Problem("invalid", "Some fields are missing or wrong.", errors=errors)
    problem.status = 422
    return problem


def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what this handler is registered for.
    response = _answer(request, error)
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
