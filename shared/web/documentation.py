"""The OpenAPI document: every answer that a call can give, its problems among them.

Who writes a program against these calls need not guess what else may come.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

PROBLEM_JSON = "application/problem+json"
PROBLEM = "#/components/schemas/Problem"
MEANINGS = {
    400: "The request cannot be read; the sentence says what to correct.",
    401: "There is no valid token, or name and password do not go together.",
    403: "The token is valid, but not for this; or the customer is suspended.",
    404: "There is no such thing, or it belongs to another office.",
    409: "The state of things does not allow it now.",
    413: "The body is larger than a message may be.",
    422: "Some fields are missing or wrong; `errors` names each.",
    429: "Too many tries; `Retry-After` says for how many seconds to wait.",
    503: "The database is away, or too many wait; the same request will work later.",
}
READING = ("get", "head")

SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457: what went wrong, for programs (`code`) and for people (`detail`).",
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "description": "the number of the answer"},
        "code": {"type": "string", "description": "stable"},
        "detail": {"type": "string", "description": "a sentence that says what to do"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {name: {"type": "string"} for name in ("field", "code", "message")},
            },
        },
    },
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`: problems that it has beside those that all routes have."""
    return {status: _answer(status) for status in statuses}


def as_people_type_it(schema: Any) -> Any:
    """A JSON Schema for a form whose contents are put into one form first, and judged then.

    A pattern of the result would refuse what is taken: `06 1234 5678`, or `12.34.56.78`.
    """
    if isinstance(schema, list):
        return [as_people_type_it(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    is_text = schema.get("type") == "string"
    return {
        name: as_people_type_it(part)
        for name, part in schema.items()
        if not (is_text and name in ("pattern", "maxLength"))
    }


def document_problems(app: FastAPI) -> None:
    """Have this application's OpenAPI document name the problems of every call."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = make()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas["Problem"] = SCHEMA
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            for operations in document.get("paths", {}).values():
                for method, operation in operations.items():
                    _add_problems(method, operation)
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]


def _add_problems(method: str, operation: dict[str, Any]) -> None:
    answers = operation.setdefault("responses", {})
    for status in _statuses(method, operation):
        if status == 422 or str(status) not in answers:
            answers[str(status)] = _answer(status)


def _statuses(method: str, operation: dict[str, Any]) -> Iterator[int]:
    """What can happen to this call, as far as its form tells."""
    parameters = operation.get("parameters", ())
    yield from (400, 413, 503)
    if operation.get("security"):
        yield from (401, 403)
        if method not in READING:
            yield 409
    if any(parameter["in"] == "path" for parameter in parameters):
        yield 404
    if parameters or "requestBody" in operation:
        yield 422


def _answer(status: int) -> dict[str, Any]:
    content = {PROBLEM_JSON: {"schema": {"$ref": PROBLEM}}}
    return {"description": MEANINGS[status], "content": content}
