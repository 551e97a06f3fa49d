"""HTTP in: staff activate, everybody sees where a customer stands, the customer logs in."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, model_validator
from sqlalchemy import text
from sqlmodel import Session, col, select

from services.activation import facts
from services.activation.checklist import Actor, Blocker, Step, checklist
from services.activation.commands import ActivateCustomer, AmendContact, ResendCredentials
from services.activation.login.api import login_routes
from services.activation.models import Activation
from shared.events import AdministrationCreated
from shared.host.runtime import Runtime
from shared.trade.contact import EmailAddress, MobileNumber
from shared.web.app import IdempotencyKey, api_router, caller_with
from shared.web.auth import Caller, not_there
from shared.web.paging import NEXT_PAGE, Page

Activator = Annotated[Caller, Depends(caller_with("users:activate"))]
Amender = Annotated[Caller, Depends(caller_with("contacts:amend"))]
Onlooker = Annotated[Caller, Depends(caller_with("onboardings:read"))]
BY_AGE = (col(Activation.heard_at), col(Activation.onboarding_id))


class Sending(BaseModel):
    """By which channel the credentials go."""

    channel: Literal["email", "sms"]


class SendingAgain(BaseModel):
    """By which channel; the one used before when left out."""

    channel: Literal["email", "sms"] | None = None


class Contact(BaseModel):
    """A corrected address, number, or both."""

    email: EmailAddress | None = None
    mobile: MobileNumber | None = None

    @model_validator(mode="after")
    def _something(self) -> "Contact":
        if self.email is None and self.mobile is None:
            raise ValueError("give an e-mail address, a mobile number, or both")
        return self


class OnboardingAnswer(BaseModel):
    """Where one customer stands: the checklist, what blocks, who must act."""

    onboarding_id: str
    reference: str | None
    office_code: str | None
    company: str | None
    order_reference: str | None
    administration_number: str | None
    login_name: str | None
    steps: list[Step]
    blockers: list[Blocker]
    next_actor: Actor

    @classmethod
    def of(cls, activation: Activation, now: datetime) -> "OnboardingAnswer":
        """One customer's checklist at this moment."""
        where = checklist(activation, now)
        signup = activation.signup
        administration = facts.read(activation.facts, AdministrationCreated)
        return cls(
            onboarding_id=activation.onboarding_id,
            reference=signup.reference if signup else None,
            office_code=activation.office_code,
            company=activation.company,
            order_reference=activation.order_reference,
            administration_number=administration and administration.administration_number,
            login_name=activation.login_name,
            steps=where.steps,
            blockers=where.blockers,
            next_actor=where.next_actor,
        )


class ReadyAnswer(BaseModel):
    """A customer who waits for credentials.

    E-mail address and number are shown in full, so that staff can verify them before anything is
    sent there.
    """

    onboarding_id: str
    reference: str | None
    company: str | None
    office_code: str | None
    preferred_channel: str | None
    email: str | None
    mobile: str | None
    state: str | None

    @classmethod
    def of(cls, activation: Activation) -> "ReadyAnswer":
        """What staff need to know before they send anything."""
        signup = activation.signup
        return cls(
            onboarding_id=activation.onboarding_id,
            reference=signup.reference if signup else None,
            company=activation.company,
            office_code=activation.office_code,
            preferred_channel=signup.preferred_channel if signup else None,
            email=activation.email,
            mobile=activation.mobile,
            state=activation.state,
        )


def router(runtime: Runtime) -> APIRouter:
    """Activation's routes."""
    routes = api_router(prefix="/api")
    routes.include_router(_activations(runtime))
    routes.include_router(_onboardings(runtime))
    routes.include_router(login_routes(runtime))
    return routes


def _activations(runtime: Runtime) -> APIRouter:
    routes = api_router(tags=["activation"])

    @routes.get("/activations", summary="Who is released and can be activated", responses=NEXT_PAGE)
    def ready(
        caller: Activator,
        page: Annotated[Page, Depends()],
        status: Annotated[Literal["ready"], Query()] = "ready",
    ) -> list[ReadyAnswer]:
        query = select(Activation).where(text("ready"))
        if caller.office:
            query = query.where(Activation.office_code == caller.office)
        with runtime.reading() as session:
            rows = page.read(session, query, *BY_AGE)
        return [ReadyAnswer.of(activation) for activation in rows]

    @routes.post("/activations/{onboarding_id}", status_code=202, summary="Send credentials")
    def activate(
        onboarding_id: UUID, body: Sending, caller: Activator, key: IdempotencyKey = None
    ) -> OnboardingAnswer:
        _require_visible(runtime, caller, onboarding_id)
        command = ActivateCustomer(channel=body.channel, by=caller.name)
        runtime.handle(command, subject=str(onboarding_id), by=caller.person, key=key)
        return _standing(runtime, onboarding_id)

    @routes.post("/activations/{onboarding_id}/resend", status_code=202, summary="Send them anew")
    def resend(
        onboarding_id: UUID,
        caller: Activator,
        body: SendingAgain | None = None,
        key: IdempotencyKey = None,
    ) -> OnboardingAnswer:
        _require_visible(runtime, caller, onboarding_id)
        command = ResendCredentials(channel=body.channel if body else None, by=caller.name)
        runtime.handle(command, subject=str(onboarding_id), by=caller.person, key=key)
        return _standing(runtime, onboarding_id)

    @routes.patch("/onboardings/{onboarding_id}/contact", summary="Correct the contact")
    def amend(onboarding_id: UUID, body: Contact, caller: Amender) -> OnboardingAnswer:
        _require_visible(runtime, caller, onboarding_id)
        command = AmendContact(email=body.email, mobile=body.mobile, by=caller.name)
        runtime.handle(command, subject=str(onboarding_id), by=caller.person)
        return _standing(runtime, onboarding_id)

    return routes


def _onboardings(runtime: Runtime) -> APIRouter:
    routes = api_router(tags=["onboardings"])

    @routes.get("/onboardings", summary="Where every customer stands", responses=NEXT_PAGE)
    def overview(caller: Onlooker, page: Annotated[Page, Depends()]) -> list[OnboardingAnswer]:
        query = select(Activation)
        if caller.office:
            query = query.where(Activation.office_code == caller.office)
        with runtime.reading() as session:
            rows = page.read(session, query, *BY_AGE, descending=True)
        now = runtime.clock()
        return [OnboardingAnswer.of(activation, now) for activation in rows]

    @routes.get("/onboardings/{onboarding_id}", summary="One customer's seven steps")
    def show_onboarding(onboarding_id: UUID, caller: Onlooker) -> OnboardingAnswer:
        with runtime.reading() as session:
            return OnboardingAnswer.of(
                _load_or_404(session, caller, onboarding_id), runtime.clock()
            )

    return routes


def _standing(runtime: Runtime, onboarding_id: UUID) -> OnboardingAnswer:
    with runtime.reading() as session:
        return OnboardingAnswer.of(session.get_one(Activation, str(onboarding_id)), runtime.clock())


def _load_or_404(session: Session, caller: Caller, onboarding_id: UUID) -> Activation:
    activation = session.get(Activation, str(onboarding_id))
    if activation is None:
        raise not_there()
    caller.require_office(activation.office_code)
    return activation


def _require_visible(runtime: Runtime, caller: Caller, onboarding_id: UUID) -> None:
    with runtime.reading() as session:
        _load_or_404(session, caller, onboarding_id)
