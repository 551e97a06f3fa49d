"""What a retry would write and say, by a rehearsal that is taken back; shown, and never done."""

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response

from infra.operations.dead_letters.foretelling import Foretold, foretell
from infra.operations.dead_letters.letters import DeadLetter
from infra.operations.pages.here import TEMPLATES, Operator, finder
from infra.operations.pages.letters import as_listed, group_or_404, load_or_404
from infra.operations.pages.words import service_words, step_words
from shared.host.runtime import Runtime
from shared.web.pages import FormView, pages_router

FIRST = 10
"""Letters of a group that are rehearsed at once, each by itself."""


def rehearsal_routes(runtimes: Sequence[Runtime]) -> APIRouter:
    """The pages of rehearsals: each is run anew when it is opened."""
    routes, find = pages_router(prefix="/operations"), finder(runtimes)

    @routes.get("/{service}/groups/{group_id}/rehearsal")
    def of_group(request: Request, service: str, group_id: str, _operator: Operator) -> Response:
        runtime = find(service)
        group = group_or_404(runtime, group_id)
        messages = [letter for letter in group.open_letters if letter.kind == "message"]
        return TEMPLATES.page(
            request,
            "operations_rehearsals.html",
            service=service,
            title=service_words(service),
            group=group,
            number=len(messages),
            step_words=step_words,
            foretold=[(one, foretell(runtime.engine, one.id)) for one in messages[:FIRST]],
        )

    @routes.get("/{service}/letters/{letter_id:path}/rehearsal")
    def of_letter(request: Request, service: str, letter_id: str, _operator: Operator) -> Response:
        runtime = find(service)
        letter = as_listed(runtime, load_or_404(runtime, letter_id)[0])
        return rehearsal_page(request, service, letter, foretell(runtime.engine, letter.id))

    return routes


def rehearsal_page(
    request: Request,
    service: str,
    letter: DeadLetter,
    foretold: Foretold,
    correction: str | None = None,
) -> Response:
    """What would come of one letter, with a correction or as it is."""
    return TEMPLATES.page(
        request,
        "operations_rehearsal.html",
        service=service,
        title=service_words(service),
        one=foretold,
        letter=letter,
        step_words=step_words,
        correction=correction,
        form=FormView(),
    )
