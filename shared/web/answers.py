"""What a plain function returns is made into its answer in the thread that ran it.

FastAPI would have each answer looked at in a second worker thread, which costs more than the look
itself, and would write it down in the one thread that all connections share.
"""

from collections.abc import Callable
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any

import fastapi
from fastapi import Request, Response
from fastapi.exceptions import ResponseValidationError
from fastapi.routing import APIRoute

from shared.base.internals import require_internals

FIELD, CLASS = "response_field", "response_class"
OPTIONS = ("include", "exclude", "by_alias", "exclude_unset", "exclude_defaults", "exclude_none")
"""How an answer is to be written; FastAPI keeps each under `response_model_` and its name."""

require_internals(
    f"FastAPI {fastapi.__version__}",
    APIRoute,
    attributes=(FIELD, CLASS, *(f"response_model_{name}" for name in OPTIONS)),
)

JSON = "application/json"
NOT_PLAIN = (iscoroutinefunction, isgeneratorfunction, isasyncgenfunction)


def answered_in_its_thread(
    endpoint: Callable[..., Any], route_of_it: Callable[[], APIRoute]
) -> Callable[..., Any]:
    """The same endpoint, whose result is held against what it promises, and written as JSON.

    A coroutine stays as it is: FastAPI looks at its result where it ran. So does a stream.
    """
    if any(is_other(endpoint) for is_other in NOT_PLAIN):
        return endpoint

    @wraps(endpoint)
    def answer(**arguments: Any) -> Any:
        result, route = endpoint(**arguments), route_of_it()
        field = getattr(route, FIELD)
        if isinstance(result, Response) or field is None:
            return result
        value, errors = field.validate(result, {}, loc=("response",))
        if errors:
            raise ResponseValidationError(errors=errors, body=result)
        options = {name: getattr(route, f"response_model_{name}") for name in OPTIONS}
        content = field.serialize_json(value, **options)
        return Response(content, route.status_code or 200, media_type=JSON)

    return answer


def set_header(request: Request, name: str, value: str) -> None:
    """Have the answer to this request bear a header, whoever makes it in the end."""
    _headers(request)[name] = value


def add_headers(request: Request, response: Response) -> None:
    """Give an answer the headers that were set for it meanwhile."""
    response.headers.update(_headers(request))


def _headers(request: Request) -> dict[str, str]:
    headers: dict[str, str] = request.scope.setdefault("state", {}).setdefault("headers", {})
    return headers
