"""Dead letters over HTTP, for operators: the same decisions as `stappenplan dead` makes."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from infra.operations.dead_letters import decisions, letters
from infra.operations.dead_letters.groups import listed
from infra.operations.dead_letters.letters import (
    DeadLetter,
    NoSuchLetter,
    ShownMessage,
    ShownNotification,
)
from shared.base.errors import Conflict, Invalid, NotFound
from shared.host.runtime import Runtime
from shared.processing.resolutions import NotDeadLettered, WouldBeRejected
from shared.trade.text import PlainText
from shared.web.app import api_router, caller_with
from shared.web.auth import Caller
from shared.web.documentation import problems

SCOPE = "dead-letters:manage"
LETTERS = "/{service}/dead-letters"
LETTER = LETTERS + "/{letter_id:path}"
# An id is asked for by its beginning too; one that was refused has a slash in it.


Operator = Annotated[Caller, Depends(caller_with(SCOPE))]
Why = Annotated[PlainText, Field(min_length=1, max_length=2000)]


class Retrying(BaseModel):
    """Why a letter is retried, and what is put in the place of its body, if anything."""

    model_config = ConfigDict(extra="forbid")

    why: Why
    body: Annotated[dict[str, Any] | None, Field(description="the corrected event, as a whole")] = (
        None
    )


class Dropping(BaseModel):
    """Why a letter is dropped."""

    model_config = ConfigDict(extra="forbid")

    why: Why


class Outcome(BaseModel):
    """What was decided about a letter."""

    service: str
    id: str
    verdict: Literal["retry", "drop"]


def routes(runtimes: Sequence[Runtime]) -> APIRouter:
    """The routes for the services that run in this process, each on its own database."""
    by_name = {runtime.service.name: runtime for runtime in runtimes}
    router = api_router(prefix="/api", tags=["dead letters"])

    def find(service: str) -> Runtime:
        if service not in by_name:
            here = ", ".join(by_name)
            raise NotFound("service_not_here", f"This process runs {here} alone.")
        return by_name[service]

    _add_reading(router, find)
    _add_deciding(router, find)
    return router


def _add_reading(router: APIRouter, find: Callable[[str], Runtime]) -> None:
    @router.get(
        LETTERS,
        summary="What failed for good, grouped by what went wrong",
        responses=problems(404),
    )
    def list_letters(
        service: str, _operator: Operator, limit: Annotated[int, Query(ge=1, le=500)] = 500
    ) -> list[DeadLetter]:
        runtime = find(service)
        return listed(runtime.service, runtime.database, limit)

    @router.get(
        LETTER,
        summary="One letter whole: the event, the error, what was decided",
        response_model_exclude_unset=True,
    )
    def show(service: str, letter_id: str, _operator: Operator) -> ShownMessage | ShownNotification:
        with _as_problems():
            return letters.show(find(service).database, letter_id)


def _add_deciding(router: APIRouter, find: Callable[[str], Runtime]) -> None:
    @router.post(LETTER + "/retry", status_code=202, summary="Give it back to its service, once")
    def retry(service: str, letter_id: str, body: Retrying, operator: Operator) -> Outcome:
        runtime = find(service)
        correction = None if body.body is None else json.dumps(body.body).encode()
        with _as_problems():
            decided = decisions.retry(
                runtime.database,
                runtime.engine.decoder,
                letter_id,
                by=operator.person,
                why=body.why,
                at=runtime.clock(),
                correction=correction,
            )
        runtime.wake()
        return Outcome(service=service, id=decided, verdict="retry")

    @router.post(LETTER + "/drop", summary="Let it rest, with a reason")
    def drop(service: str, letter_id: str, body: Dropping, operator: Operator) -> Outcome:
        runtime = find(service)
        with _as_problems():
            decided = decisions.drop(
                runtime.database, letter_id, by=operator.person, why=body.why, at=runtime.clock()
            )
        return Outcome(service=service, id=decided, verdict="drop")


@contextmanager
def _as_problems() -> Iterator[None]:
    """Turn what cannot be decided into a problem document."""
    try:
        yield
    except NoSuchLetter as nothing:
        raise NotFound("no_such_letter", str(nothing)) from None
    except NotDeadLettered as refusal:
        raise Conflict("not_dead", str(refusal)) from None
    except WouldBeRejected as refusal:
        raise Invalid("would_be_refused", str(refusal)) from None
