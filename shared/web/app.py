"""HTTP as every service speaks it: one application, its routers, and who may call what.

Routes are plain functions that run in worker threads, since database work blocks.
"""

from collections.abc import Callable, Coroutine, Iterator, Sequence
from enum import Enum
from importlib.metadata import version
from typing import Annotated, Any

import fastapi
from fastapi import APIRouter, FastAPI, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from fastapi.security.base import SecurityBase
from fastapi.telemetry import TelemetryConfig
from fastapi_swagger import patch_fastapi
from pydantic import AfterValidator

from shared.base.ids import read_uuid
from shared.base.internals import require_internals
from shared.persistence.clock import Clock, utc_now
from shared.web.admission import Admission
from shared.web.answers import add_headers, answered_in_its_thread
from shared.web.auth import Caller
from shared.web.documentation import document_problems
from shared.web.headers import AnswerHeaders
from shared.web.pages.color import color_routes
from shared.web.pages.failures import answer_refusal, show_missing_pages
from shared.web.pages.site import Site
from shared.web.pages.static_route import static_routes
from shared.web.problems import add_problem_handlers
from shared.web.routers import Route, Router, serve
from shared.web.strict_json import Gate, StrictRequest
from shared.web.token_watch import TokenWatch

# Which tokens a route needs is read from what FastAPI has found of its dependencies.
require_internals(f"FastAPI {fastapi.__version__}", Dependant, members=("call", "dependencies"))
require_internals(f"FastAPI {fastapi.__version__}", APIRoute, attributes=("dependant",))

NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""What FastAPI would report names addresses, with tokens and search words in them."""

_bearer = HTTPBearer(auto_error=False, description="A token made by `stappenplan token create`")

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        description="Makes a repeat of this request harmless.",
    ),
    AfterValidator(lambda key: key and (read_uuid(key) or key)),
]
"""A UUID is the same key however it is written; any other key is taken as it stands."""


class RequiredScope(SecurityBase):
    """A dependency that gives the caller, who must bear this scope.

    The route admits the caller before it reads their body (`api_router`): who may not call at all
    is told that, not what is wrong with what they sent. It documents itself as a bearer token.
    """

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self.model, self.scheme_name = _bearer.model, _bearer.scheme_name

    async def __call__(self, request: Request) -> Caller:
        """The caller whom the route has admitted."""
        caller: Caller = request.state.caller
        return caller

    async def admit(self, request: Request) -> None:
        """Find out who is calling.

        Raises:
            Unauthorized: there is no token, or it is of no use here.
            Forbidden: it does not carry the scope, or that is KING's alone.
        """
        credentials = await _bearer(request)
        admission: Admission = request.app.state.admission
        token = credentials.credentials if credentials else None
        address = request.client.host if request.client else ""
        if admission.knows(token):
            # A worker thread would cost more than what is left to do, and wait for its turn.
            request.state.caller = admission.admit(token, self.scope, address)
        else:
            request.state.caller = await run_in_threadpool(
                admission.admit, token, self.scope, address
            )


def caller_with(scope: str) -> RequiredScope:
    """A dependency that gives the caller, who must bear this scope."""
    return RequiredScope(scope)


class _Route(Route):
    """A route that admits its caller first, then reads their JSON, strictly and once."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, answered_in_its_thread(endpoint, lambda: self), **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        scopes = list(_required_scopes(self.dependant))

        async def admit_and_handle(request: Request) -> Response:
            for scope in scopes:
                await scope.admit(request)
            strict = StrictRequest(request.scope, request.receive)
            strict.require_one_content_type()
            if await strict.has_json():
                # Also where the route takes no body; FastAPI itself gets what is parsed here.
                await strict.json()
            response = await handle(strict)
            add_headers(request, response)
            return response

        return admit_and_handle


def _required_scopes(dependant: Dependant) -> Iterator[RequiredScope]:
    """The scopes that a route's own dependencies require, and those of their dependencies."""
    if isinstance(dependant.call, RequiredScope):
        yield dependant.call
    for dependency in dependant.dependencies:
        yield from _required_scopes(dependency)


def api_router(prefix: str = "", tags: Sequence[str | Enum] = ()) -> APIRouter:
    """A router for calls of programs: each route admits its caller, then reads strict JSON."""
    return Router(prefix=prefix, tags=list(tags), route_class=_Route)


def inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON Schema whose references are replaced by what they refer to.

    For a schema that stands within the OpenAPI document, where `#/$defs` leads nowhere.
    """
    parts = schema.get("$defs", {})

    def resolve(value: Any) -> Any:
        if isinstance(value, list):
            return [resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        name = str(value.get("$ref", "")).removeprefix("#/$defs/")
        if name in parts:
            return resolve(parts[name] | {k: v for k, v in value.items() if k != "$ref"})
        return {key: resolve(item) for key, item in value.items() if key != "$defs"}

    resolved: dict[str, Any] = resolve(schema)
    return resolved


def create_app(
    routers: Sequence[APIRouter],
    *,
    token_key: str | Sequence[str],
    watch: TokenWatch | None = None,
    site: Site | None = None,
    clock: Clock = utc_now,
) -> FastAPI:
    """The application of one service, or of several in one process.

    `token_key` is the key that tokens are signed with, or all that are; `watch` knows which tokens
    were revoked; `site` is what pages among the routers belong to; `clock` judges tokens' time.
    """
    app = _bare_app()
    app.state.admission = Admission(token_key, watch, clock=clock)
    app.state.site = site
    app.add_middleware(Gate, answer=answer_refusal)
    app.add_middleware(AnswerHeaders)
    add_problem_handlers(app)
    document_problems(app)
    serve(app, routers)
    if site is not None:
        serve(app, [static_routes(), color_routes()])
        show_missing_pages(app)
    return app


def _bare_app() -> FastAPI:
    """The application without routes, and the page `/docs`."""
    app = FastAPI(
        title="Stappenplan",
        version=version("stappenplan"),
        description="From sign-up to log-in in seven steps.",
        # FastAPI's own pages would load their scripts from somebody else's machine.
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        # To a caller's own `Host` nobody is sent on, be it for a slash too many.
        redirect_slashes=False,
        telemetry=NO_TELEMETRY,
    )
    patch_fastapi(
        app,
        redirect_from_root_to_docs=False,
        swagger_ui_parameters={"persistAuthorization": False, "filter": True},
    )
    return app
