"""HTTP in: the office reviews, corrects, registers, declines, and sees to administrations."""

from typing import Annotated
from uuid import uuid5

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.registration.changes import Correction
from services.registration.charts import LedgerAccount, shipped_chart
from services.registration.commands import (
    CorrectSignup,
    DeclineCustomer,
    MakeAdministration,
    PutBaseAdministration,
    RegisterCustomer,
)
from services.registration.lookup import Status, detail, list_by_status, load_or_404, visible
from services.registration.models import Chart
from services.registration.responses import (
    AdministrationAnswer,
    BaseAnswer,
    CopyAnswer,
    RegistrationAnswer,
    RegistrationDetail,
)
from shared.base.errors import NotFound
from shared.events.envelope import NAMESPACE
from shared.host.runtime import Runtime
from shared.trade.text import PlainCode, PlainLine, is_plain_code
from shared.web.app import IdempotencyKey, api_router, caller_with
from shared.web.auth import Caller
from shared.web.paging import NEXT_PAGE, Page
from shared.web.references import Reference

Reviewer = Annotated[Caller, Depends(caller_with("registrations:review"))]
Setter = Annotated[Caller, Depends(caller_with("administrations:create"))]


class Decline(BaseModel):
    """Why the office says no."""

    reason: PlainLine = Field(min_length=1, max_length=200)


class Administration(BaseModel):
    """Which base administration to copy; left out, the office's own unless there is a copy."""

    base_administration: PlainCode | None = Field(default=None, min_length=1, max_length=35)


class Base(BaseModel):
    """A base administration; without accounts it gets the chart that ships with the product."""

    name: PlainLine = Field(min_length=1, max_length=200)
    accounts: list[LedgerAccount] = Field(
        default_factory=shipped_chart, min_length=1, max_length=2000
    )


def router(runtime: Runtime) -> APIRouter:
    """Registration's routes."""
    routes = api_router(prefix="/api", tags=["registration"])
    _lists(routes, runtime)
    _decisions(routes, runtime)
    _administrations(routes, runtime)
    _base_administrations(routes, runtime)
    return routes


def _lists(routes: APIRouter, runtime: Runtime) -> None:
    """What the office looks at."""

    @routes.get("/registrations", summary="Registrations by status", responses=NEXT_PAGE)
    def list_registrations(
        caller: Reviewer,
        page: Annotated[Page, Depends()],
        status: Annotated[Status, Query()] = "review",
    ) -> list[RegistrationAnswer]:
        with runtime.reading() as session:
            rows = list_by_status(session, caller, page, status)
        return [RegistrationAnswer.of(registration) for registration in rows]

    @routes.get("/registrations/{onboarding_id}", summary="Everything that was signed up with")
    def show_registration(onboarding_id: Reference, caller: Reviewer) -> RegistrationDetail:
        return detail(runtime, caller, onboarding_id)


def _decisions(routes: APIRouter, runtime: Runtime) -> None:
    """What the office corrects, and decides."""

    @routes.patch("/registrations/{onboarding_id}", summary="Correct it before it is registered")
    def correct(onboarding_id: Reference, body: Correction, caller: Reviewer) -> RegistrationDetail:
        subject = visible(runtime, caller, onboarding_id)
        command = CorrectSignup(by=caller.name, fields=body.fields(), **body.parts())
        runtime.handle(command, subject=subject, by=caller.person)
        return detail(runtime, caller, subject)

    @routes.post("/registrations/{onboarding_id}/register", status_code=202)
    def register(
        onboarding_id: Reference, caller: Reviewer, key: IdempotencyKey = None
    ) -> RegistrationDetail:
        subject = visible(runtime, caller, onboarding_id)
        command = RegisterCustomer(by=caller.name)
        runtime.handle(command, subject=subject, by=caller.person, key=key)
        return detail(runtime, caller, subject)

    @routes.post("/registrations/{onboarding_id}/decline", status_code=202)
    def decline(
        onboarding_id: Reference, body: Decline, caller: Reviewer, key: IdempotencyKey = None
    ) -> RegistrationDetail:
        subject = visible(runtime, caller, onboarding_id)
        command = DeclineCustomer(by=caller.name, reason=body.reason)
        runtime.handle(command, subject=subject, by=caller.person, key=key)
        return detail(runtime, caller, subject)


def _administrations(routes: APIRouter, runtime: Runtime) -> None:
    """What a registered customer's books begin with."""

    @routes.post("/registrations/{onboarding_id}/administration", status_code=202)
    def make_administration(
        onboarding_id: Reference,
        caller: Setter,
        body: Administration | None = None,
        key: IdempotencyKey = None,
    ) -> CopyAnswer:
        subject = visible(runtime, caller, onboarding_id)
        chosen = body.base_administration if body else None
        command = MakeAdministration(base_administration=chosen)
        runtime.handle(command, subject=subject, by=caller.person, key=key)
        with runtime.reading() as session:
            return CopyAnswer.of(load_or_404(session, caller, subject))

    @routes.get("/registrations/{onboarding_id}/administration")
    def show_administration(onboarding_id: Reference, caller: Setter) -> AdministrationAnswer:
        with runtime.reading() as session:
            registration = load_or_404(session, caller, onboarding_id)
            if registration.administration_number is None:
                raise NotFound(
                    "no_administration",
                    registration.administration_error or "There is no administration yet.",
                )
            chart = session.get_one(Chart, registration.chart_id)
        return AdministrationAnswer(
            administration_number=registration.administration_number,
            name=registration.administration_name,
            copied_from=registration.copied_from,
            accounts=[LedgerAccount.model_validate(account) for account in chart.accounts],
        )


def _base_administrations(routes: APIRouter, runtime: Runtime) -> None:
    """What the office's administrations are copied from."""

    @routes.put("/base-administrations/{code}", summary="Add or replace a base administration")
    def put_base(code: str, body: Base, caller: Setter) -> BaseAnswer:
        if not is_plain_code(code):
            raise NotFound("not_found", "The code of a base administration has 1 to 35 characters.")
        office = caller.office or ""
        command = PutBaseAdministration(
            code=code, office_code=office, name=body.name, accounts=tuple(body.accounts)
        )
        subject = str(uuid5(NAMESPACE, f"base-administration/{office}/{code}"))
        runtime.handle(command, subject=subject, by=caller.person)
        return BaseAnswer(code=code, name=body.name, accounts=len(body.accounts))
