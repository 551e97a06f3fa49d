"""The administration that a customer's books begin with: asked for again, or from another base."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import ValidationError

from services.registration.api import Administration
from services.registration.commands import MakeAdministration
from services.registration.lookup import visible
from services.registration.pages.screen import registration_page
from shared.base.errors import Conflict, FieldError
from shared.host.runtime import Runtime
from shared.web.auth import Caller
from shared.web.pages import Posted, Words, language_of, pages_router, see_other, staff_with
from shared.web.references import Reference

Setter = Annotated[Caller, Depends(staff_with("administrations:create"))]
CHOOSE = Words("Kies een basisadministratie.", "Choose a base administration.")


def administration_pages(runtime: Runtime) -> APIRouter:
    """What came of it stands on the page of the registration."""
    routes = pages_router()

    @routes.post("/registrations/{onboarding_id}/administration")
    def make(request: Request, onboarding_id: Reference, caller: Setter, form: Posted) -> Response:
        subject = visible(runtime, caller, onboarding_id)
        try:
            body = Administration(base_administration=form.text("base_administration"))
        except ValidationError:
            message = CHOOSE.in_(language_of(request))
            error = FieldError(field="base_administration", code="choice", message=message)
            shown = form.view([error])
            return registration_page(request, runtime, caller, subject, form=shown)
        command = MakeAdministration(base_administration=body.base_administration)
        try:
            runtime.handle(command, subject=subject, by=caller.person, key=form.key)
        except Conflict as conflict:
            return registration_page(request, runtime, caller, subject, conflict=conflict)
        return see_other(f"/registrations/{subject}", done="copied")

    return routes
