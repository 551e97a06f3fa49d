"""HTTP in: the office reviews, registers, declines, and sees to administrations."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID, uuid5

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from sqlmodel import Session, col, select

from services.registration.charts import LedgerAccount, shipped_chart
from services.registration.commands import (
    DeclineCustomer,
    MakeAdministration,
    PutBaseAdministration,
    RegisterCustomer,
)
from services.registration.models import PENDING, Chart, Registration
from shared.base.errors import NotFound
from shared.events.envelope import NAMESPACE
from shared.events.shapes import Package, Warning
from shared.host.runtime import Runtime
from shared.web.app import IdempotencyKey, api_router, caller_with
from shared.web.auth import Caller, not_there
from shared.web.paging import NEXT_PAGE, Page

Reviewer = Annotated[Caller, Depends(caller_with("registrations:review"))]
Setter = Annotated[Caller, Depends(caller_with("administrations:create"))]
Status = Literal["review", "registered", "declined", "withdrawn"]


class Decline(BaseModel):
    """Why the office says no."""

    reason: str = Field(min_length=1, max_length=200)


class Administration(BaseModel):
    """Which base administration to copy; left out, the office's own unless there is a copy."""

    base_administration: str | None = Field(default=None, min_length=1, max_length=35)


class Base(BaseModel):
    """A base administration; without accounts it gets the chart that ships with the product."""

    name: str = Field(min_length=1, max_length=200)
    accounts: list[LedgerAccount] = Field(
        default_factory=shipped_chart, min_length=1, max_length=2000
    )


class RegistrationAnswer(BaseModel):
    """A registration as the office sees it in a list."""

    onboarding_id: str
    status: str
    reference: str
    office_code: str | None
    company: str
    kvk: str | None
    package: Package
    payer: str
    warnings: tuple[Warning, ...]
    customer_number: str | None
    administration_number: str | None
    administration_error: str | None
    since: datetime | None

    @classmethod
    def of(cls, registration: Registration) -> "RegistrationAnswer":
        """What is shown of this registration; its sign-up has been heard."""
        signup = registration.signup()
        return cls(
            onboarding_id=registration.onboarding_id,
            status=registration.status,
            reference=signup.reference,
            office_code=registration.office_code,
            company=signup.customer.company,
            kvk=signup.customer.kvk,
            package=signup.package,
            payer=signup.payer.kind,
            warnings=signup.warnings,
            customer_number=registration.customer_number,
            administration_number=registration.administration_number,
            administration_error=registration.administration_error,
            since=registration.heard_at,
        )


class AdministrationAnswer(BaseModel):
    """A customer's administration with its chart of accounts."""

    administration_number: str
    name: str | None
    copied_from: str | None
    accounts: list[LedgerAccount]


class BaseAnswer(BaseModel):
    """A base administration that was put, and how many accounts it has."""

    code: str
    name: str
    accounts: int


def router(runtime: Runtime) -> APIRouter:
    """Registration's routes."""
    routes = api_router(prefix="/api", tags=["registration"])
    _reviews(routes, runtime)
    _administrations(routes, runtime)
    return routes


def _reviews(routes: APIRouter, runtime: Runtime) -> None:
    """What the office looks at, and decides."""

    @routes.get("/registrations", summary="Registrations by status", responses=NEXT_PAGE)
    def list_registrations(
        caller: Reviewer,
        page: Annotated[Page, Depends()],
        status: Annotated[Status, Query()] = "review",
    ) -> list[RegistrationAnswer]:
        heard_at = col(Registration.heard_at)
        # Withdrawn before the sign-up itself was heard: there is nothing yet to show of it.
        query = select(Registration).where(Registration.status == status, heard_at.is_not(None))
        if caller.office:
            query = query.where(Registration.office_code == caller.office)
        with runtime.reading() as session:
            rows = page.read(session, query, heard_at, col(Registration.onboarding_id))
        return [RegistrationAnswer.of(registration) for registration in rows]

    @routes.post("/registrations/{onboarding_id}/register", status_code=202)
    def register(onboarding_id: UUID, caller: Reviewer, key: IdempotencyKey = None) -> None:
        _require_visible(runtime, caller, onboarding_id)
        command = RegisterCustomer(by=caller.name)
        runtime.handle(command, subject=str(onboarding_id), by=caller.person, key=key)

    @routes.post("/registrations/{onboarding_id}/decline", status_code=202)
    def decline(
        onboarding_id: UUID, body: Decline, caller: Reviewer, key: IdempotencyKey = None
    ) -> None:
        _require_visible(runtime, caller, onboarding_id)
        command = DeclineCustomer(by=caller.name, reason=body.reason)
        runtime.handle(command, subject=str(onboarding_id), by=caller.person, key=key)


def _administrations(routes: APIRouter, runtime: Runtime) -> None:
    """What a registered customer's books begin with."""

    @routes.post("/registrations/{onboarding_id}/administration", status_code=202)
    def make_administration(
        onboarding_id: UUID,
        caller: Setter,
        body: Administration | None = None,
        key: IdempotencyKey = None,
    ) -> None:
        _require_visible(runtime, caller, onboarding_id)
        chosen = body.base_administration if body else None
        command = MakeAdministration(base_administration=chosen)
        runtime.handle(command, subject=str(onboarding_id), by=caller.person, key=key)

    @routes.get("/registrations/{onboarding_id}/administration")
    def show_administration(onboarding_id: UUID, caller: Setter) -> AdministrationAnswer:
        with runtime.reading() as session:
            registration = _load_or_404(session, caller, onboarding_id)
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

    @routes.put("/base-administrations/{code}", summary="Add or replace a base administration")
    def put_base(code: str, body: Base, caller: Setter) -> BaseAnswer:
        if not 1 <= len(code) <= 35:
            raise NotFound("not_found", "The code of a base administration has 1 to 35 characters.")
        office = caller.office or ""
        command = PutBaseAdministration(
            code=code, office_code=office, name=body.name, accounts=tuple(body.accounts)
        )
        subject = str(uuid5(NAMESPACE, f"base-administration/{office}/{code}"))
        runtime.handle(command, subject=subject, by=caller.person)
        return BaseAnswer(code=code, name=body.name, accounts=len(body.accounts))


def _load_or_404(session: Session, caller: Caller, onboarding_id: UUID) -> Registration:
    registration = session.get(Registration, str(onboarding_id))
    if registration is None or registration.status == PENDING:
        raise not_there()
    caller.require_office(registration.office_code)
    return registration


def _require_visible(runtime: Runtime, caller: Caller, onboarding_id: UUID) -> None:
    with runtime.reading() as session:
        _load_or_404(session, caller, onboarding_id)
