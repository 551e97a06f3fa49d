"""Whether a process lives, whether it can work now, and its numbers: for whoever runs it.

These answers need neither the threads that serve requests nor a free connection there: each look
has a thread of its own, and all who ask at one moment share it.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Generic, TypeVar

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from shared.host.counting import Counting
from shared.host.runtime import Runtime
from shared.web.app import api_router
from shared.web.headers import AnswerHeaders
from shared.web.problems import add_problem_handlers
from shared.web.routers import serve
from shared.web.strict_json import Gate

LOOK_AGAIN = 0.5
"""Seconds for which an answer is good for others, too."""
PATIENCE = 5.0
"""Seconds after which a look counts as failed; it goes on, and the next who ask wait for it."""

TEXT = "text/plain"

T = TypeVar("T")
V = TypeVar("V")


class Look(Generic[T]):
    """Looks on a thread of its own, once for all who ask meanwhile; for one event loop."""

    def __init__(self, look: Callable[[], T]) -> None:
        self._look = look
        self._latest: asyncio.Future[T] | None = None
        self._done_at = 0.0

    async def take(self) -> T:
        """What is seen, at most half a second ago.

        Raises:
            TimeoutError: the look takes longer than whoever asks would wait.
        """
        return await asyncio.wait_for(asyncio.shield(self._current()), PATIENCE)

    def _current(self) -> "asyncio.Future[T]":
        loop, latest = asyncio.get_running_loop(), self._latest
        if latest is not None and not latest.done():
            return latest
        if latest is not None and loop.time() < self._done_at + LOOK_AGAIN:
            return latest
        self._latest = loop.create_future()
        self._latest.add_done_callback(self._note)
        # A daemon, not a pool's: a process that ends waits for no database that never answers.
        threading.Thread(
            target=self._see, args=[loop, self._latest], name="look", daemon=True
        ).start()
        return self._latest

    def _see(self, loop: asyncio.AbstractEventLoop, seen: "asyncio.Future[T]") -> None:
        tell: Callable[[], None]
        try:
            tell = partial(_unless_done, seen, seen.set_result, self._look())
        except Exception as error:
            tell = partial(_unless_done, seen, seen.set_exception, error)
        with suppress(RuntimeError):  # The loop may have ended meanwhile, and nobody asks any more.
            loop.call_soon_threadsafe(tell)

    def _note(self, done: "asyncio.Future[T]") -> None:
        self._done_at = done.get_loop().time()
        if not done.cancelled():
            done.exception()  # Whoever asked may be gone: then nobody else looks at it.


def _unless_done(seen: "asyncio.Future[T]", tell: Callable[[V], None], what: V) -> None:
    if not seen.done():
        tell(what)


def health(runtimes: Sequence[Runtime]) -> APIRouter:
    """The routes of one process."""
    router = api_router(tags=["health"])
    readiness = Look(lambda: not_ready_reasons(runtimes))
    numbers = Look(partial(_exposition, Counting(runtimes)))

    @router.get(
        "/healthz",
        summary="Whether the process lives: restart it when not",
        responses=_answers("dead", "broker_silent"),
    )
    async def alive() -> Response:
        dead = [runtime.service.name for runtime in runtimes if not runtime.healthy()]
        silent = [runtime.service.name for runtime in runtimes if runtime.broker_silent()]
        status = 503 if dead or silent else 200
        return JSONResponse({"dead": dead, "broker_silent": silent}, status_code=status)

    @router.get(
        "/readyz",
        summary="Whether each service can work now",
        responses=_answers("not_ready_reasons"),
    )
    async def ready() -> Response:
        try:
            reasons = await readiness.take()
        except TimeoutError:
            sentence = "the database does not answer in time"
            reasons = {runtime.service.name: [sentence] for runtime in runtimes}
        return JSONResponse({"not_ready_reasons": reasons}, status_code=503 if reasons else 200)

    @router.get(
        "/metrics",
        summary="Counters and gauges for Prometheus",
        response_class=PlainTextResponse,
        responses={503: {"description": "They cannot be counted now", "content": {TEXT: {}}}},
    )
    async def metrics() -> Response:
        try:
            body, media_type = await numbers.take()
        except TimeoutError:
            return PlainTextResponse("the database does not answer in time", status_code=503)
        return Response(body, media_type=media_type)

    return router


def _answers(*members: str) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI document: the same JSON with 200 and with 503."""
    schema = {"type": "object", "required": list(members)}
    content = {"application/json": {"schema": schema}}
    return {
        200: {"description": "Yes", "content": content},
        503: {"description": "No; it says why", "content": content},
    }


def health_app(runtimes: Sequence[Runtime]) -> FastAPI:
    """These routes alone, for a port of their own."""
    app = FastAPI(title="Stappenplan", openapi_url=None, redirect_slashes=False)
    app.add_middleware(Gate)
    app.add_middleware(AnswerHeaders)
    add_problem_handlers(app)
    serve(app, [health(runtimes)])
    return app


def not_ready_reasons(runtimes: Sequence[Runtime]) -> dict[str, list[str]]:
    """What keeps each service from working now, in words; those that can work are left out."""
    by_service = {runtime.service.name: runtime.not_ready_reasons() for runtime in runtimes}
    return {name: sentences for name, sentences in by_service.items() if sentences}


def _exposition(counting: Counting) -> tuple[bytes, str]:
    # Prometheus' library is loaded when somebody asks: most installations never do.
    from shared.host.metrics import exposition

    return exposition(counting)
