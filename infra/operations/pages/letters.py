"""One dead letter whole, and a group of them: what a person reads before they decide."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import JsonValue

from infra.operations.dead_letters import letters
from infra.operations.dead_letters.groups import named
from infra.operations.dead_letters.letters import (
    DeadLetter,
    NoSuchLetter,
    ShownMessage,
    ShownNotification,
)
from infra.operations.pages.here import TEMPLATES, Group, Operator, finder, groups_of
from infra.operations.pages.words import STATUSES, VERDICTS, service_words, step_words
from shared.base.words import Words
from shared.host.runtime import Runtime
from shared.notifications.senders.outgoing import masked
from shared.processing.dead_letters import REJECTED
from shared.processing.resolutions import NotDeadLettered
from shared.processing.store import triage
from shared.processing.store.tables import Triage
from shared.web.auth import not_there
from shared.web.pages import (
    EventSourceResponse,
    FormView,
    ServerSentEvent,
    changes,
    fingerprint,
    pages_router,
)

Shown = ShownMessage | ShownNotification
OPEN = ("dead", "failed")
"""The states in which a letter waits for a person."""

DONE = {
    "retried": Words(
        "Het bericht is opnieuw aangeboden. Hieronder ziet u hoe het afloopt.",
        "The message was retried. Below you see what comes of it.",
    ),
    "dropped": Words(
        "Het bericht is terzijde gelegd; het blijft hier bewaard.",
        "The message was dropped; it is kept on record.",
    ),
    "noted": Words("Uw notitie is bewaard.", "Your note is kept."),
}


def letter_routes(runtimes: Sequence[Runtime]) -> APIRouter:
    """The pages to read; nothing of them changes anything."""
    routes, find = pages_router(prefix="/operations"), finder(runtimes)

    @routes.get("/{service}/groups/{group_id}")
    def group(request: Request, service: str, group_id: str, _operator: Operator) -> Response:
        return group_page(request, find(service), group_id)

    @routes.get("/{service}/letters/{letter_id:path}/correct")
    def correct(request: Request, service: str, letter_id: str, _operator: Operator) -> Response:
        return correction_page(request, find(service), letter_id)

    @routes.get("/{service}/letters/{letter_id:path}/standing")
    def part(request: Request, service: str, letter_id: str, _operator: Operator) -> Response:
        return letter_page(request, find(service), letter_id, part=True)

    def followed(service: str, letter_id: str, _operator: Operator) -> Callable[[], str]:
        runtime = find(service)
        load_or_404(runtime, letter_id)
        return lambda: _version(*load_or_404(runtime, letter_id))

    @routes.get("/{service}/letters/{letter_id:path}/changes", response_class=EventSourceResponse)
    async def stream(
        request: Request, read: Annotated[Callable[[], str], Depends(followed)]
    ) -> AsyncIterator[ServerSentEvent]:
        async for change in changes(request, read):
            yield change

    @routes.get("/{service}/letters/{letter_id:path}")
    def letter(request: Request, service: str, letter_id: str, operator: Operator) -> Response:
        return letter_page(request, find(service), letter_id)

    return routes


def group_or_404(runtime: Runtime, name: str) -> Group:
    """The letters that died of the same, by the fingerprint in an address.

    Raises:
        NotFound: none of them is left.
    """
    for group in groups_of(runtime):
        if group.fingerprint == name:
            return group
    raise not_there()


def group_page(
    request: Request,
    runtime: Runtime,
    name: str,
    *,
    form: FormView | None = None,
    refused: Sequence[str] = (),
) -> Response:
    """A group, with what is wrong with the form for it, or why none of it could be retried."""
    return TEMPLATES.page(
        request,
        "operations_group.html",
        status=409 if refused else 422 if form else 200,
        service=runtime.service.name,
        title=service_words(runtime.service.name),
        group=group_or_404(runtime, name),
        step_words=step_words,
        form=form or FormView(),
        refused=refused,
    )


def load_or_404(runtime: Runtime, letter_id: str) -> tuple[Shown, Triage | None]:
    """A letter, whatever became of it, and what operators say of it.

    Raises:
        NotFound: there is none by that id, or it is no longer kept.
    """
    try:
        shown = letters.show(runtime.database, letter_id)
    except (NoSuchLetter, NotDeadLettered):
        raise not_there() from None
    with runtime.reading() as session:
        return shown, triage.of(session, [shown.id]).get(shown.id)


def letter_page(
    request: Request,
    runtime: Runtime,
    letter_id: str,
    *,
    form: FormView | None = None,
    refusal: str | None = None,
    part: bool = False,
) -> Response:
    """One letter, with what is wrong with a form for it, or why it could not be decided."""
    shown, care = load_or_404(runtime, letter_id)
    is_part = part and request.headers.get("hx-request") == "true"
    return TEMPLATES.page(
        request,
        "operations_letter_standing.html" if is_part else "operations_letter.html",
        status=409 if refusal else 422 if form else 200,
        **_values(runtime, shown, care),
        form=form or FormView.of({"note": care.note if care else None}),
        refusal=refusal,
        done=DONE.get(request.query_params.get("done", "")),
    )


def correction_page(
    request: Request,
    runtime: Runtime,
    letter_id: str,
    *,
    form: FormView | None = None,
    refusal: str | None = None,
) -> Response:
    """The body to be corrected, beside the one that is there."""
    shown, care = load_or_404(runtime, letter_id)
    if not isinstance(shown, ShownMessage):
        raise not_there()
    values = _values(runtime, shown, care)
    return TEMPLATES.page(
        request,
        "operations_correct.html",
        status=422 if form else 200,
        **values,
        form=form or FormView.of({"body": values["body"]}),
        refusal=refusal,
    )


def _values(runtime: Runtime, shown: Shown, care: Triage | None) -> dict[str, Any]:
    is_message = isinstance(shown, ShownMessage)
    return {
        "service": runtime.service.name,
        "title": service_words(runtime.service.name),
        "letter": as_listed(runtime, shown),
        "step_words": step_words,
        "shown": shown,
        "is_open": shown.status in OPEN,
        "is_message": is_message,
        "is_refused": shown.id.startswith(REJECTED),
        "state": STATUSES.get(shown.status, ("quiet", Words(shown.status, shown.status))),
        "care": care,
        "properties": _properties(shown),
        "verdicts": VERDICTS,
        "version": _version(shown, care),
        **(_of_message(shown) if isinstance(shown, ShownMessage) else _of_mail(shown)),
    }


def _of_message(shown: ShownMessage) -> dict[str, Any]:
    original = as_text(shown.original.body) if shown.original else None
    killed = shown.status == "dead" and bool(shown.crashes)
    return {"body": as_text(shown.body), "original": original, "killed": killed}


def _of_mail(shown: ShownNotification) -> dict[str, Any]:
    return {"body": as_text(shown.params), "original": None, "killed": False}


def _version(shown: Shown, care: Triage | None) -> str:
    return fingerprint(
        shown.status, shown.attempts, shown.error, shown.due_at, len(shown.decisions), care
    )


def as_listed(runtime: Runtime, shown: Shown) -> DeadLetter:
    """A letter as a list has it, with its customer: also one about which was decided."""
    values: dict[str, Any]
    if isinstance(shown, ShownMessage):
        values = {"kind": "message", "type": shown.type, "subject": shown.subject}
        since = shown.received_at
    else:
        values = {"kind": "notification", "type": shown.kind, "subject": shown.onboarding_id}
        since = shown.created_at
    letter = DeadLetter(
        service=runtime.service.name,
        id=shown.id,
        step=runtime.service.step_of(values["type"]),
        since=since,
        attempts=shown.attempts,
        error=shown.error or "",
        **values,
    )
    (with_name,) = named(runtime.database, [letter], runtime.service.customers)
    return with_name


def _properties(shown: Shown) -> list[tuple[str, str]]:
    """With what a message came, or where a mail goes: its recipient cannot be told from it."""
    if isinstance(shown, ShownNotification):
        return [("channel", shown.channel), ("recipient", masked(shown.recipient))]
    pairs = [("exchange", shown.exchange), *shown.properties.items()]
    headers = shown.properties.get("headers")
    inner = headers.items() if isinstance(headers, dict) else ()
    flat = [(name, value) for name, value in pairs if name != "headers"]
    return [(name, str(value)) for name, value in (*flat, *inner) if value not in (None, "")]


def as_text(body: JsonValue) -> str:
    """A body as people read it, and may write it anew."""
    return body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False)
