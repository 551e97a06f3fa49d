"""Results on hold: what was expected, what came, and what a person decides about it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import ValidationError

from services.billing.collection.held import (
    Decision,
    ToDecide,
    decide_result,
    result_to_decide,
    results_to_decide,
)
from services.billing.collection.responses import Amount, HeldResultResponse
from services.billing.models.reasons import reason_for
from services.billing.pages.desk import templates
from services.billing.pages.desk_words import FIELDS, MISSING, REFUSALS
from services.billing.pages.held_words import DONE, REPORTED, WHY
from services.billing.signing.fields import field_errors
from shared.base.errors import Conflict, NotFound
from shared.events.shapes import Language
from shared.host.runtime import Runtime
from shared.web.auth import Caller
from shared.web.pages import (
    FormView,
    Posted,
    language_of,
    pages_router,
    see_other,
    staff_with,
)
from shared.web.paging import Page

BackOffice = Annotated[Caller, Depends(staff_with("orders:confirm"))]
ResultId = Annotated[str, Path(max_length=80)]
BACK = ("returned", "refunded", "reversed")


def held_pages(runtime: Runtime) -> APIRouter:
    """The list, each result on its own, and the decision."""
    routes = pages_router(prefix="/held-results")

    @routes.get("")
    def show_all(
        request: Request, caller: BackOffice, page: Annotated[Page, Depends()]
    ) -> Response:
        language = language_of(request)
        with runtime.reading() as session:
            held = results_to_decide(session, caller.office, page)
        return templates.page(
            request,
            "held/results.html",
            rows=[_in_words(result, language) for result in held],
            next_page=page.next,
            done=DONE.get(request.query_params.get("done", "")),
        )

    @routes.get("/{result_id}")
    def show(request: Request, result_id: ResultId, caller: BackOffice) -> Response:
        return _page(request, _load(runtime, caller, result_id))

    @routes.post("/{result_id}")
    def decide(request: Request, result_id: ResultId, caller: BackOffice, form: Posted) -> Response:
        language = language_of(request)
        try:
            decision = Decision.model_validate(form.nested())
            decide_result(runtime, caller, result_id, decision, form.key)
        except ValidationError as refusal:
            faults = field_errors(refusal, language, absent=MISSING)
            to_decide = _load(runtime, caller, result_id)
            return _page(request, to_decide, status=422, form=form.view(faults))
        except Conflict as conflict:
            to_decide = _load(runtime, caller, result_id)
            return _page(request, to_decide, status=409, form=form.view(), conflict=conflict)
        except NotFound:
            return see_other("/held-results", done="over")
        return see_other("/held-results", done=decision.decision)

    return routes


def _load(runtime: Runtime, caller: Caller, result_id: str) -> ToDecide:
    shortfall = runtime.settings.accept_shortfall_cents
    with runtime.reading() as session:
        return result_to_decide(session, caller, result_id, shortfall)


def _page(
    request: Request,
    to_decide: ToDecide,
    *,
    status: int = 200,
    form: FormView | None = None,
    conflict: Conflict | None = None,
) -> Response:
    """One result, with what is wrong with the form, or with what stands in the way."""
    language, refused = language_of(request), to_decide.unacceptable
    return templates.page(
        request,
        "held/result.html",
        status=status,
        form=form or FormView(),
        labels={name: FIELDS[name].in_(language) for name in ("decision", "reason")},
        held=_in_words(to_decide.result, language),
        unacceptable=REFUSALS[refused.code] if refused else None,
        conflict=REFUSALS.get(conflict.code) if conflict else None,
    )


def _in_words(held: HeldResultResponse, language: Language) -> dict[str, Any]:
    """What was expected, what came, and the difference."""
    reported = held.reported
    reason = reason_for(reported.reason_code).meaning(language) if reported.reason_code else None
    return {
        "id": held.result_id,
        "choice": WHY[held.why],
        "order": held.order_reference,
        "is_known": held.onboarding_id is not None,
        "onboarding_id": held.onboarding_id,
        "company": held.company,
        "office_code": held.office_code,
        "expected": held.expected,
        "came": Amount(amount_cents=reported.amount_cents, currency=reported.currency),
        "status": REPORTED[reported.status],
        "is_back": reported.status in BACK,
        "occurred_at": reported.occurred_at,
        "reason": f"{reason} ({reported.reason_code})" if reason else None,
        "missing": held.missing_cents,
        "surplus": held.surplus_cents,
        "attempt": held.attempt,
        "end_to_end_id": held.end_to_end_id,
    }
