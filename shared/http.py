"""HTTP as every service speaks it: problem documents, bearer tokens, health.

Errors are RFC 9457 documents with a stable `code` and a sentence for a person. Routes are plain
functions that run in worker threads, since database work blocks.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, FastAPI, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi_swagger import patch_fastapi
from starlette.exceptions import HTTPException
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.auth import Caller, read_token
from shared.envelope import parse
from shared.errors import Malformed, Problem, TooLarge, Unauthorized, Unavailable
from shared.events.shapes import FieldError
from shared.messaging.bus import MAX_BODY_BYTES
from shared.processing.runtime import Runtime

log = structlog.get_logger()

PROBLEM_JSON = "application/problem+json"
JSON_INVALID = "json_invalid"
_bearer = HTTPBearer(auto_error=False, description="A token made by `stappenplan token create`")

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        description="Makes a repeat of this request harmless.",
    ),
]


def caller_with(scope: str) -> Callable[[Request, Any], Caller]:
    """A dependency that gives the caller, who must bear this scope."""

    def caller(
        request: Request,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    ) -> Caller:
        found = _caller(request.app, credentials.credentials if credentials else "")
        found.insist_on(scope)
        return found

    return caller


def _caller(app: FastAPI, token: str) -> Caller:
    """Who bears this token.

    Raises:
        Unauthorized: there is none, or it is of no use here.
    """
    if not token:
        raise Unauthorized("token_missing", "Send a token in the header `Authorization: Bearer …`.")
    return read_token(app.state.token_key, token)


def inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON Schema whose references are replaced by what they refer to.

    For a schema that stands within the OpenAPI document, where `#/$defs` leads nowhere.
    """
    parts = schema.get("$defs", {})

    def resolve(value: Any) -> Any:
        if isinstance(value, list):
            return [resolve(one) for one in value]
        if not isinstance(value, dict):
            return value
        name = str(value.get("$ref", "")).removeprefix("#/$defs/")
        if name in parts:
            return resolve(parts[name] | {k: v for k, v in value.items() if k != "$ref"})
        return {key: resolve(one) for key, one in value.items() if key != "$defs"}

    found: dict[str, Any] = resolve(schema)
    return found


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
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else {}
    if "retry_after" in problem.extra:
        headers["Retry-After"] = str(problem.extra["retry_after"])
    return JSONResponse(
        document | problem.extra,
        status_code=problem.status,
        media_type=PROBLEM_JSON,
        headers=headers,
    )


def create_app(
    runtimes: Sequence[Runtime], routers: Sequence[APIRouter], *, token_key: str
) -> FastAPI:
    """The application of one service, or of several in one process."""
    app = FastAPI(
        title="Stappenplan",
        version=version("stappenplan"),
        description="From sign-up to log-in in seven steps.",
        # FastAPI's own pages would load their scripts from somebody else's machine.
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
    )
    patch_fastapi(
        app,
        redirect_from_root_to_docs=False,
        swagger_ui_parameters={"persistAuthorization": False, "filter": True},
    )
    app.state.token_key = token_key
    app.add_middleware(_Gate)
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_crash)
    for router in routers:
        app.include_router(router)
    app.include_router(_health(runtimes))
    return app


def _health(runtimes: Sequence[Runtime]) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="Whether the process lives: restart it when not")
    def alive() -> Response:
        dead = [one.service.name for one in runtimes if not one.healthy()]
        deaf = [one.service.name for one in runtimes if one.deaf()]
        return JSONResponse({"dead": dead, "deaf": deaf}, status_code=503 if dead or deaf else 200)

    @router.get("/readyz", summary="Whether each service can work now")
    def ready() -> Response:
        troubles = {one.service.name: found for one in runtimes if (found := one.troubles())}
        return JSONResponse({"troubles": troubles}, status_code=503 if troubles else 200)

    @router.get("/metrics", summary="Counters and gauges for Prometheus")
    def metrics() -> Response:
        from shared.telemetry import exposition

        body, media_type = exposition(runtimes)
        return Response(body, media_type=media_type)

    return router


def _on_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - what this handler is registered for.
    return problem_response(error)


def _on_invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as above.
    errors = [
        FieldError(
            field=".".join(str(part) for part in one["loc"] if part != "body")[:200] or "body",
            code=str(one["type"])[:80],
            message=str(one["msg"])[:500],
        )
        for one in error.errors()[:50]
    ]
    if any(one.code == JSON_INVALID for one in errors):
        return problem_response(Problem(JSON_INVALID, "The body is not valid JSON."))
    problem = Problem("invalid", "Some fields are missing or wrong.", errors=errors)
    problem.status = 422
    return problem_response(problem)


def _on_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as above.
    codes: Mapping[int, str] = {404: "not_found", 405: "method_not_allowed"}
    problem = Problem(codes.get(error.status_code, "http_error"), str(error.detail))
    problem.status = error.status_code
    return problem_response(problem)


def _on_crash(request: Request, error: Exception) -> Response:
    from shared.database import Trouble, diagnose

    if diagnose(error) is not Trouble.MESSAGE:
        away = "The database is away for a moment; please try again."
        return problem_response(Unavailable("try_later", away))
    log.error("request_failed", path=request.url.path, exc_info=error)
    problem = Problem("internal_error", "Something went wrong on our side; it was recorded.")
    problem.status = 500
    return problem_response(problem)


class _Gate:
    """Refuses what no route could take: bodies larger than any message may be, and unfit text.

    JSON is read here as strictly as on the broker, since Python's own reader lets through what
    no database could store and no answer repeat.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")
        read: list[Message] = []
        try:
            if length.isdigit() and int(length) > MAX_BODY_BYTES:
                raise _too_large()
            if b"transfer-encoding" in headers or length != b"0":
                read = await _whole_body(receive)
            body = b"".join(one.get("body", b"") for one in read)
            _insist_on_fit_text(scope, headers.get(b"content-type", b""), body)
        except Problem as refusal:
            await problem_response(_first_of_all(scope, refusal))(scope, receive, send)
            return

        async def handed_on() -> Message:
            return read.pop(0) if read else await receive()

        await self._app(scope, handed_on, send)


def _first_of_all(scope: Scope, refusal: Problem) -> Problem:
    """What to answer: who may not call at all is told that, not what is wrong with his body."""
    if refusal.code != JSON_INVALID or not _asks_for_token(scope):
        return refusal
    header = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    scheme, _, token = header.partition(" ")
    try:
        _caller(scope["app"], token.strip() if scheme.lower() == "bearer" else "")
    except Unauthorized as unknown:
        return unknown
    return refusal


def _asks_for_token(scope: Scope) -> bool:
    """Whether the documentation says that this call needs a token."""
    calls = scope["app"].openapi()["paths"]
    found = (one for path, one in calls.items() if compile_path(path)[0].match(scope["path"]))
    return any("security" in one.get(scope["method"].lower(), {}) for one in found)


async def _whole_body(receive: Receive) -> list[Message]:
    """The messages that a body comes in; its announced length, if any, need not be true."""
    read: list[Message] = []
    while not read or read[-1].get("more_body"):
        read.append(await receive())
        if sum(len(one.get("body", b"")) for one in read) > MAX_BODY_BYTES:
            raise _too_large()
    return read


def _insist_on_fit_text(scope: Scope, content_type: bytes, body: bytes) -> None:
    """Refuse NUL wherever it may stand, and JSON that only some readers take.

    Raises:
        Problem: it says what to correct.
    """
    form = content_type.startswith(b"application/x-www-form-urlencoded")
    nul = "\0" in scope["path"] or b"%00" in scope["query_string"]
    if nul or (form and (b"%00" in body or b"\0" in body)):
        raise Problem("nul_character", "A NUL character is no part of any text; leave it out.")
    if body and b"json" in content_type:
        try:
            parse(body)
        except Malformed as refusal:
            raise Problem(JSON_INVALID, f"The body cannot be taken: {refusal}.") from None


def _too_large() -> TooLarge:
    return TooLarge("body_too_large", f"A request has at most {MAX_BODY_BYTES} bytes.")
