"""A group that was retried as one: how far it is, and what became of each."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from sqlmodel import Session

from infra.operations.dead_letters.groups import named
from infra.operations.dead_letters.letters import DeadLetter
from infra.operations.pages.here import TEMPLATES, Operator, finder, is_fragment
from infra.operations.pages.words import STATUSES, UNKNOWN, service_words, step_words
from shared.base.words import Words
from shared.host.runtime import Runtime
from shared.notifications.tables import Notification
from shared.processing.store import decisions
from shared.processing.store.tables import WAITING, Decision, Inbox
from shared.web.auth import not_there
from shared.web.pages import (
    EventSourceResponse,
    ServerSentEvent,
    changes,
    fingerprint,
    pages_router,
)

AGAIN = (
    "waiting",
    Words("mislukt; wordt later opnieuw geprobeerd", "failed; is tried again later"),
)


@dataclass(frozen=True)
class Outcome:
    """What became of one letter of a round."""

    letter: DeadLetter
    tone: str
    words: Words
    error: str | None
    due_at: datetime | None
    is_over: bool


def round_routes(runtimes: Sequence[Runtime]) -> APIRouter:
    """The pages on which a round is followed."""
    routes, find = pages_router(prefix="/operations"), finder(runtimes)

    @routes.get("/{service}/rounds/{round_id}")
    def whole(request: Request, service: str, round_id: str, _operator: Operator) -> Response:
        return _page(request, find(service), round_id)

    @routes.get("/{service}/rounds/{round_id}/progress")
    def part(request: Request, service: str, round_id: str, _operator: Operator) -> Response:
        return _page(request, find(service), round_id, part=is_fragment(request))

    def followed(service: str, round_id: str, _operator: Operator) -> Callable[[], str]:
        runtime = find(service)
        read_or_404(runtime, round_id)
        return lambda: fingerprint(read_or_404(runtime, round_id)[1])

    @routes.get("/{service}/rounds/{round_id}/changes", response_class=EventSourceResponse)
    async def stream(
        request: Request, read: Annotated[Callable[[], str], Depends(followed)]
    ) -> AsyncIterator[ServerSentEvent]:
        async for change in changes(request, read):
            yield change

    return routes


def _page(request: Request, runtime: Runtime, round_id: str, part: bool = False) -> Response:
    first, outcomes = read_or_404(runtime, round_id)
    left = request.query_params.get("left", "")
    return TEMPLATES.page(
        request,
        "operations_progress.html" if part else "operations_round.html",
        service=runtime.service.name,
        title=service_words(runtime.service.name),
        round=first,
        outcomes=outcomes,
        finished=sum(outcome.is_over for outcome in outcomes),
        step_words=step_words,
        left=int(left) if left.isdecimal() and len(left) < 6 else 0,
        version=fingerprint(outcomes),
    )


def read_or_404(runtime: Runtime, round_id: str) -> tuple[Decision, list[Outcome]]:
    """The first decision of a round, and what became of each letter of it.

    Raises:
        NotFound: there is no such round.
    """
    with runtime.reading() as session:
        decided = decisions.of_round(session, round_id)
        if not decided:
            raise not_there()
        rows = [_row(session, decision.letter_id) for decision in decided]
        letters = [
            _letter(runtime, decision, row) for decision, row in zip(decided, rows, strict=True)
        ]
    letters = named(runtime.database, letters, runtime.service.customers)
    return decided[0], [_outcome(*pair) for pair in zip(letters, rows, strict=True)]


def _row(session: Session, letter_id: str) -> Inbox | Notification | None:
    return session.get(Inbox, letter_id) or session.get(Notification, letter_id)


def _letter(runtime: Runtime, decision: Decision, row: Inbox | Notification | None) -> DeadLetter:
    values: dict[str, Any] = {"kind": "message", "type": "", "subject": None}
    if isinstance(row, Inbox):
        values = {"kind": "message", "type": row.type, "subject": row.subject}
    elif row is not None:
        values = {"kind": "notification", "type": row.kind, "subject": row.onboarding_id}
    return DeadLetter(
        service=runtime.service.name,
        id=decision.letter_id,
        since=decision.decided_at,
        attempts=decision.attempts,
        error=decision.error or "",
        step=runtime.service.step_of(values["type"]),
        **values,
    )


def _outcome(letter: DeadLetter, row: Inbox | Notification | None) -> Outcome:
    if row is None:
        return Outcome(letter, *UNKNOWN, None, None, True)
    tone, words = STATUSES[row.status]
    if row.status == WAITING and row.error:
        tone, words = AGAIN
    due_at = row.due_at if row.status == WAITING and row.error else None
    return Outcome(letter, tone, words, row.error, due_at, row.status != WAITING)
