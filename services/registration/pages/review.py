"""The list of what waits for the office, and the decision on each."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import ValidationError

from services.registration.api import Decline
from services.registration.commands import DeclineCustomer, RegisterCustomer
from services.registration.lookup import Status, list_by_status, visible
from services.registration.pages.screen import (
    DONE,
    STATUS,
    Reviewer,
    next_to_check,
    registration_page,
    templates,
)
from services.registration.responses import RegistrationAnswer
from shared.base.errors import Conflict, FieldError
from shared.host.parts import part_page, story
from shared.host.runtime import Runtime
from shared.processing import Command
from shared.web.auth import Caller
from shared.web.pages import Posted, Words, language_of, pages_router, see_other
from shared.web.paging import Page
from shared.web.references import Reference

PART = Words("Aanmelden en inrichten", "Registration and administration")
WORDS = {
    "registration.register": Words("Aangemeld bij KING", "Registered with KING"),
    "registration.correct": Words("Gegevens gecorrigeerd", "Details corrected"),
    "registration.decline": Words("Inschrijving afgewezen", "Sign-up declined"),
    "registration.make_administration": Words("Administratie gevraagd", "Administration asked for"),
    "administration_ready": Words(
        "Bericht: administratie staat klaar", "Mail: administration is ready"
    ),
}
"""What is called what in the story of a customer."""

MISSING = Words("Vul in waarom; de klant leest het ook.", "Fill in why; the customer reads it too.")
UNFIT = Words(
    "Schrijf de reden op één regel van hoogstens 200 tekens, zonder burgerservicenummer.",
    "Write the reason on one line of at most 200 characters, without a citizen number.",
)


def review_pages(runtime: Runtime) -> APIRouter:
    """What waits, and the decision."""
    routes = pages_router()
    _lists(routes, runtime)
    _decisions(routes, runtime)
    return routes


def _lists(routes: APIRouter, runtime: Runtime) -> None:
    @routes.get("/registrations")
    def list_page(
        request: Request,
        caller: Reviewer,
        page: Annotated[Page, Depends()],
        status: Annotated[Status, Query()] = "review",
    ) -> Response:
        with runtime.reading() as session:
            rows = list_by_status(session, caller, page, status)
        return templates.page(
            request,
            "registrations.html",
            rows=[RegistrationAnswer.of(row) for row in rows],
            status_now=status,
            tabs=STATUS,
            next_page=page.next,
            done=DONE.get(request.query_params.get("done", "")),
        )

    @routes.get("/registrations/{onboarding_id}")
    def show(request: Request, onboarding_id: Reference, caller: Reviewer) -> Response:
        return registration_page(request, runtime, caller, onboarding_id)

    @routes.get("/registrations/{onboarding_id}/part")
    def part(request: Request, onboarding_id: Reference, caller: Reviewer) -> Response:
        subject = visible(runtime, caller, onboarding_id)
        entries = story(runtime, subject, WORDS, language_of(request))
        links = [(f"/registrations/{subject}", Words("Wat is ingeschreven", "The sign-up"))]
        return part_page(templates, request, subject, title=PART, entries=entries, links=links)


def _decisions(routes: APIRouter, runtime: Runtime) -> None:
    @routes.post("/registrations/{onboarding_id}/register")
    def register(
        request: Request, onboarding_id: Reference, caller: Reviewer, form: Posted
    ) -> Response:
        command = RegisterCustomer(by=caller.name)
        return _decide(request, runtime, caller, onboarding_id, command, form.key, "registered")

    @routes.post("/registrations/{onboarding_id}/decline")
    def decline(
        request: Request, onboarding_id: Reference, caller: Reviewer, form: Posted
    ) -> Response:
        reason, error = _reason(form.text("reason"), language_of(request))
        if error is not None:
            shown = form.view([error])
            return registration_page(request, runtime, caller, onboarding_id, form=shown)
        command = DeclineCustomer(by=caller.name, reason=reason)
        return _decide(request, runtime, caller, onboarding_id, command, form.key, "declined")


def _decide(
    request: Request,
    runtime: Runtime,
    caller: Caller,
    reference: str,
    command: Command,
    key: str,
    done: str,
) -> Response:
    """Decide, and go on to whoever waits next; whoever comes too late sees what was decided."""
    subject = visible(runtime, caller, reference)
    try:
        runtime.handle(command, subject=subject, by=caller.person, key=key)
    except Conflict as conflict:
        return registration_page(request, runtime, caller, subject, conflict=conflict)
    following = next_to_check(runtime, caller)
    return see_other(f"/registrations/{following}" if following else "/registrations", done=done)


def _reason(text: str | None, language: str) -> tuple[str, FieldError | None]:
    """The reason as it is kept, or what is wrong with it."""
    try:
        return Decline(reason=text or "").reason, None
    except ValidationError as refusal:
        is_missing = refusal.errors()[0]["type"] == "string_too_short"
    code, words = ("missing", MISSING) if is_missing else ("unfit", UNFIT)
    return "", FieldError(field="reason", code=code, message=words.in_(language))
