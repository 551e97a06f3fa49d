"""`/operations`: every service as the steps it owns; each shows its own part of the page."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from infra.composition import build_services
from infra.operations.pages.here import TEMPLATES, Operator, finder, groups_of, is_fragment
from infra.operations.pages.queue_depth import QueueDepths
from infra.operations.pages.words import counted, lamp, reason_words, service_words, step_words
from services.activation.pages.wording import STEPS, lasting
from shared.base.words import Words
from shared.host.runtime import Runtime
from shared.host.service import Service
from shared.host.settings import Settings
from shared.host.standing import Standing, standing
from shared.web.pages import (
    EventSourceResponse,
    ServerSentEvent,
    changes,
    fingerprint,
    pages_router,
)

FEW = 5
"""Letters of a group in the list of groups; its own page has all of them."""

DONE = {
    "dropped": Words("Het bericht is terzijde gelegd.", "The message is dropped."),
}


def frame_routes(runtimes: Sequence[Runtime]) -> APIRouter:
    """The page of all services, in the process that signs staff in, and each one's own part."""
    routes, find = pages_router(prefix="/operations"), finder(runtimes)
    depths = QueueDepths()
    if any(runtime.service.sessions for runtime in runtimes):
        _add_frame(routes, runtimes, depths)

    @routes.get("/{service}")
    def service_page(request: Request, service: str, _operator: Operator) -> Response:
        values = service_values(find(service), depths)
        done = DONE.get(request.query_params.get("done", ""))
        return TEMPLATES.page(request, "operations_service.html", done=done, **values)

    @routes.get("/{service}/part")
    def part(request: Request, service: str, _operator: Operator) -> Response:
        values = part_values(find(service), depths)
        name = "operations_part.html" if is_fragment(request) else "operations_part_page.html"
        return TEMPLATES.page(request, name, **values)

    @routes.get("/{service}/list")
    def letters(request: Request, service: str, _operator: Operator) -> Response:
        name = "operations_list.html" if is_fragment(request) else "operations_service.html"
        return TEMPLATES.page(request, name, done=None, **service_values(find(service), depths))

    def followed(service: str, _operator: Operator) -> Callable[[], str]:
        runtime = find(service)
        return lambda: str(service_values(runtime, depths)["version"])

    @routes.get("/{service}/changes", response_class=EventSourceResponse)
    async def stream(
        request: Request, read: Annotated[Callable[[], str], Depends(followed)]
    ) -> AsyncIterator[ServerSentEvent]:
        async for change in changes(request, read):
            yield change

    return routes


def _add_frame(routes: APIRouter, runtimes: Sequence[Runtime], depths: QueueDepths) -> None:
    here = {runtime.service.name: runtime for runtime in runtimes}
    settings: Settings = runtimes[0].settings
    services = sorted(build_services(settings), key=_place)

    @routes.get("")
    def frame(request: Request, _operator: Operator) -> Response:
        parts = [
            part_values(here[service.name], depths)
            if service.name in here
            else _titles(service) | {"lamp": None}
            for service in services
        ]
        return TEMPLATES.page(request, "operations.html", parts=parts)


def _place(service: Service) -> tuple[int, str]:
    """Where it stands among the others: in the order of the plan."""
    steps = list(STEPS)
    places = [steps.index(step) for step in service.steps if step in steps]
    return min(places, default=len(steps)), service.name


def _titles(service: Service) -> dict[str, Any]:
    return {
        "service": service.name,
        "title": service_words(service.name),
        "steps": [step_words(step) for step in service.steps],
    }


def part_values(runtime: Runtime, depths: QueueDepths) -> dict[str, Any]:
    """What one service's part of the page shows."""
    now = standing(runtime)
    return _titles(runtime.service) | {
        "lamp": lamp(now),
        "standing": now,
        "reasons": [reason_words(reason) for reason in now.reasons],
        "counted": counted,
        "queued": depths.of(runtime),
        "waits": lasting(now.oldest, runtime.clock()),
    }


def service_values(runtime: Runtime, depths: QueueDepths) -> dict[str, Any]:
    """What a service's own page shows: how it stands, and its dead letters by what went wrong."""
    values, groups = part_values(runtime, depths), groups_of(runtime)
    now: Standing = values["standing"]
    seen = [
        (group.fingerprint, one.dead.id, one.care and one.care.changed_at)
        for group in groups
        for one in group.letters
    ]
    return values | {
        "groups": groups,
        "few": FEW,
        "step_words": step_words,
        "version": fingerprint(now, values["queued"], seen),
    }
