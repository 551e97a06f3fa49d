"""Staff stop an onboarding, and signup's part of a customer's story."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import ValidationError

from services.signup.models import ACCEPTED, COMPLETED, Signup
from services.signup.pages.frame import templates
from services.signup.pages.words import REASON_TROUBLE
from services.signup.withdrawal import WithdrawBody, load_or_404, withdraw
from shared.base.errors import Conflict, FieldError
from shared.host.parts import part_page, story
from shared.host.runtime import Runtime
from shared.web.auth import Caller
from shared.web.pages import FormView, Posted, Words, language_of, see_other, staff_with
from shared.web.references import Reference

Withdrawer = Annotated[Caller, Depends(staff_with("signup:withdraw"))]
Onlooker = Annotated[Caller, Depends(staff_with("onboardings:read"))]

TITLE = Words("De inschrijving", "The sign-up")
WORDS = {
    "signup.withdraw": Words("Inschrijving ingetrokken", "Sign-up withdrawn"),
    "signup.submitted.v1": Words("Inschrijving ingestuurd", "Sign-up submitted"),
    "signup_received": Words("Bevestiging aan de klant", "Confirmation to the customer"),
    "signup_received_office": Words("Bericht aan het kantoor", "Word to the office"),
    "signup_incomplete": Words(
        "Bericht aan de klant: niet compleet", "To the customer: incomplete"
    ),
    "signup_declined": Words("Bericht aan de klant: afgewezen", "To the customer: declined"),
    "onboarding_withdrawn": Words(
        "Bericht aan de klant: ingetrokken", "To the customer: withdrawn"
    ),
    "onboarding_withdrawn_office": Words(
        "Bericht aan het kantoor: ingetrokken", "To the office: withdrawn"
    ),
    "withdraw_link": Words("Nieuwe link aan de klant", "New link to the customer"),
}
"""What acts and mails are called in a customer's story."""


def add_pages(routes: APIRouter, runtime: Runtime) -> None:
    """Stopping, and the part of the story."""

    @routes.get("/signups/{onboarding_id}/withdraw")
    def ask(request: Request, onboarding_id: Reference, caller: Withdrawer) -> Response:
        return _page(request, _load(runtime, caller, onboarding_id))

    @routes.post("/signups/{onboarding_id}/withdraw")
    def stop(
        request: Request, onboarding_id: Reference, caller: Withdrawer, form: Posted
    ) -> Response:
        signup = _load(runtime, caller, onboarding_id)
        try:
            reason = form.text("reason")
            body = WithdrawBody(reason=reason) if reason else WithdrawBody()
            withdraw(runtime, signup, body, by=caller.person, key=form.key)
        except ValidationError:
            trouble = REASON_TROUBLE.in_(language_of(request))
            error = FieldError(field="reason", code="reason_invalid", message=trouble)
            return _page(request, signup, form.view([error]), status=422)
        except Conflict:
            return _page(request, _load(runtime, caller, onboarding_id), status=409)
        return see_other(f"/signups/{signup.onboarding_id}/withdraw")

    @routes.get("/signups/{onboarding_id}/part")
    def part(request: Request, onboarding_id: Reference, caller: Onlooker) -> Response:
        subject = _load(runtime, caller, onboarding_id).onboarding_id
        entries = story(runtime, subject, WORDS, language_of(request))
        return part_page(templates, request, subject, title=TITLE, entries=entries)


def _load(runtime: Runtime, caller: Caller, reference: str) -> Signup:
    with runtime.reading() as session:
        return load_or_404(session, caller, reference)


def _page(
    request: Request, signup: Signup, form: FormView | None = None, status: int = 200
) -> Response:
    return templates.page(
        request,
        "withdraw-staff.html",
        status=status,
        form=form or FormView(),
        signup=signup,
        known=signup.acceptance(),
        is_open=signup.status in (ACCEPTED, COMPLETED),
        is_at_work=signup.logged_in_at is not None,
    )
