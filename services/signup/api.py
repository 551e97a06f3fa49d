"""HTTP in: sign-ups from websites, offices, withdrawals."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends
from pydantic import BaseModel, ConfigDict
from sqlmodel import col, select

from services.signup.loads import office_code_of
from services.signup.models import Office
from services.signup.office_data import OfficeBody, is_office_code, put_office
from services.signup.submission import submit
from services.signup.withdrawal import WithdrawBody, load_or_404, withdraw
from shared.base.errors import Forbidden, NotFound
from shared.events import SignupSubmitted
from shared.host.runtime import Runtime
from shared.links import Purpose
from shared.web.app import IdempotencyKey, api_router, caller_with, inlined
from shared.web.auth import Caller
from shared.web.documentation import as_people_type_it
from shared.web.paging import NEXT_PAGE, Page
from shared.web.references import Reference

Website = Annotated[Caller, Depends(caller_with("signup:submit"))]
BackOffice = Annotated[Caller, Depends(caller_with("offices:manage"))]
Withdrawer = Annotated[Caller, Depends(caller_with("signup:withdraw"))]


class OfficeAnswer(BaseModel):
    """An office as it is kept."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    name: str
    email: str
    phone: str | None
    language: str
    review: str
    base_administration: str
    pays_for_customers: str
    color: str | None
    sites: list[str]


class Submitted(BaseModel):
    """By what the sign-up is known to programs and to people, and where it can be followed."""

    onboarding_id: UUID
    reference: str
    status_url: str


class Withdrawn(BaseModel):
    """Whose onboarding has stopped, and why."""

    onboarding_id: UUID
    reference: str
    reason: str


def router(runtime: Runtime) -> APIRouter:
    """Signup's routes."""
    routes = api_router(prefix="/api", tags=["signup"])
    _signups(routes, runtime)
    _offices(routes, runtime)
    return routes


def _signups(routes: APIRouter, runtime: Runtime) -> None:
    """What a website does."""

    @routes.post(
        "/signups", status_code=202, summary="Submit a sign-up", openapi_extra=_as_submitted()
    )
    def submit_signup(
        body: Annotated[dict[str, Any], Body()], caller: Website, key: IdempotencyKey = None
    ) -> Submitted:
        _require_own_office(caller, office_code_of(body))
        onboarding_id, accepted = submit(runtime, body, by=caller.person, key=key)
        return Submitted(
            onboarding_id=onboarding_id,
            reference=accepted.reference,
            # Issued when the sign-up came: a repeat is answered like the first.
            status_url=runtime.settings.page_links().to(
                Purpose.STATUS, str(onboarding_id), accepted.submitted_at
            ),
        )

    @routes.post("/signups/{onboarding_id}/withdraw", status_code=202, summary="Stop it")
    def withdraw_signup(
        onboarding_id: Reference,
        caller: Withdrawer,
        body: WithdrawBody | None = None,
        key: IdempotencyKey = None,
    ) -> Withdrawn:
        with runtime.reading() as session:
            signup = load_or_404(session, caller, onboarding_id)
        command = withdraw(runtime, signup, body or WithdrawBody(), by=caller.person, key=key)
        return Withdrawn(
            onboarding_id=UUID(signup.onboarding_id),
            reference=signup.reference or "",
            reason=command.reason,
        )


def _offices(routes: APIRouter, runtime: Runtime) -> None:
    """Whose websites there are."""

    @routes.put("/offices/{code}", summary="Add or change an office")
    def add_or_change_office(code: str, body: OfficeBody, caller: BackOffice) -> OfficeAnswer:
        caller.require_office(code)
        if not is_office_code(code):
            raise NotFound("not_found", "The code of an office has 1 to 35 characters.")
        return OfficeAnswer.model_validate(put_office(runtime, code, body, by=caller.person))

    @routes.get("/offices", summary="The offices", responses=NEXT_PAGE)
    def offices(caller: BackOffice, page: Annotated[Page, Depends()]) -> list[OfficeAnswer]:
        query = select(Office)
        if caller.office:
            query = query.where(Office.code == caller.office)
        with runtime.reading() as session:
            rows = page.read(session, query, col(Office.code))
        return [OfficeAnswer.model_validate(office.told()) for office in rows]


def _require_own_office(caller: Caller, office: str | None) -> None:
    """Refuse a sign-up for another office than the token's own.

    Raises:
        Forbidden: it is for another.
    """
    if caller.office and office != caller.office:
        raise Forbidden("wrong_office", f"This token signs up for office {caller.office} alone.")


def _as_submitted() -> dict[str, Any]:
    """What the body should hold. It is checked field by field by the handler, not on the way in."""
    schema = SignupSubmitted.model_json_schema()
    return {
        "requestBody": {
            "content": {"application/json": {"schema": as_people_type_it(inlined(schema))}}
        }
    }
