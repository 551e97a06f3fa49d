"""HTTP as every service speaks it: problem documents, bearer tokens, health.

Errors are RFC 9457 documents with a stable `code` and a sentence for a person. Routes are plain
functions that run in worker threads, since database work blocks.
"""

from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, FastAPI, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi_swagger import patch_fastapi
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.base.errors import Malformed, Problem, TooLarge, Unauthorized
from shared.events.envelope import MAX_BODY_BYTES, parse
from shared.web.auth import Caller, read_token
from shared.web.problems import JSON_INVALID, add_problem_handlers, problem_response

log = structlog.get_logger()

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
        found.require_scope(scope)
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


def create_app(routers: Sequence[APIRouter], *, token_key: str) -> FastAPI:
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
    add_problem_handlers(app)
    for router in routers:
        app.include_router(router)
    return app


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
            _require_fit_text(scope, headers.get(b"content-type", b""), body)
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


def _require_fit_text(scope: Scope, content_type: bytes, body: bytes) -> None:
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
