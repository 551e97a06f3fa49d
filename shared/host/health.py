"""Whether a process lives, whether it can work now, and its numbers: for whoever runs it."""

from collections.abc import Sequence

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from shared.host.runtime import Runtime
from shared.web.app import api_router


def health(runtimes: Sequence[Runtime]) -> APIRouter:
    """The routes of one process."""
    router = api_router(tags=["health"])

    @router.get("/healthz", summary="Whether the process lives: restart it when not")
    def alive() -> Response:
        dead = [runtime.service.name for runtime in runtimes if not runtime.healthy()]
        silent = [runtime.service.name for runtime in runtimes if runtime.broker_silent()]
        status = 503 if dead or silent else 200
        return JSONResponse({"dead": dead, "broker_silent": silent}, status_code=status)

    @router.get("/readyz", summary="Whether each service can work now")
    def ready() -> Response:
        by_service = {runtime.service.name: runtime.not_ready_reasons() for runtime in runtimes}
        reasons = {name: sentences for name, sentences in by_service.items() if sentences}
        return JSONResponse({"not_ready_reasons": reasons}, status_code=503 if reasons else 200)

    @router.get("/metrics", summary="Counters and gauges for Prometheus")
    def metrics() -> Response:
        from shared.host.metrics import exposition

        body, media_type = exposition(runtimes)
        return Response(body, media_type=media_type)

    return router
