"""HTTP in: staff activate, everybody sees where a customer stands, the customer logs in."""

from typing import Annotated, Literal

import structlog
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel import select

from services.activation.commands import ActivateCustomer, ResendCredentials
from services.activation.contact import Contact
from services.activation.customers import load_seen, load_visible
from services.activation.history import Entry, history
from services.activation.login.api import login_routes
from services.activation.models import Activation
from services.activation.overview import BY_AGE, Wanted
from services.activation.responses import OnboardingAnswer, ReadyAnswer
from shared.host.runtime import Runtime
from shared.web.app import IdempotencyKey, api_router, caller_with
from shared.web.auth import Caller
from shared.web.paging import NEXT_PAGE, Page
from shared.web.references import Reference

log = structlog.get_logger()

Activator = Annotated[Caller, Depends(caller_with("users:activate"))]
Amender = Annotated[Caller, Depends(caller_with("contacts:amend"))]
Onlooker = Annotated[Caller, Depends(caller_with("onboardings:read"))]


class Sending(BaseModel):
    """By which channel the credentials go."""

    channel: Literal["email", "sms"]


class SendingAgain(BaseModel):
    """By which channel; the one used before when left out."""

    channel: Literal["email", "sms"] | None = None


def router(runtime: Runtime) -> APIRouter:
    """Activation's routes."""
    routes = api_router()
    routes.include_router(_activations(runtime))
    routes.include_router(_onboardings(runtime))
    routes.include_router(login_routes(runtime))
    return routes


def _activations(runtime: Runtime) -> APIRouter:
    routes = api_router(prefix="/api", tags=["activation"])

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

    _add_acts(routes, runtime)
    return routes


def _add_acts(routes: APIRouter, runtime: Runtime) -> None:
    @routes.post("/activations/{onboarding_id}", status_code=202, summary="Send credentials")
    def activate(
        onboarding_id: Reference, body: Sending, caller: Activator, key: IdempotencyKey = None
    ) -> OnboardingAnswer:
        subject = _visible(runtime, caller, onboarding_id)
        command = ActivateCustomer(channel=body.channel, by=caller.name)
        runtime.handle(command, subject=subject, by=caller.person, key=key)
        return _standing(runtime, subject)

    @routes.post("/activations/{onboarding_id}/resend", status_code=202, summary="Send them anew")
    def resend(
        onboarding_id: Reference,
        caller: Activator,
        body: SendingAgain | None = None,
        key: IdempotencyKey = None,
    ) -> OnboardingAnswer:
        subject = _visible(runtime, caller, onboarding_id)
        command = ResendCredentials(channel=body.channel if body else None, by=caller.name)
        runtime.handle(command, subject=subject, by=caller.person, key=key)
        return _standing(runtime, subject)

    @routes.patch("/onboardings/{onboarding_id}/contact", summary="Correct the contact")
    def amend(onboarding_id: Reference, body: Contact, caller: Amender) -> OnboardingAnswer:
        subject = _visible(runtime, caller, onboarding_id)
        command = body.command(caller.name)
        if runtime.handle(command, subject=subject, by=caller.person):
            log.info("contact_changed", onboarding_id=subject, changes=list(command.changes))
        return _standing(runtime, subject)


def _onboardings(runtime: Runtime) -> APIRouter:
    routes = api_router(prefix="/api", tags=["onboardings"])

    @routes.get("/onboardings", summary="Where every customer stands", responses=NEXT_PAGE)
    def overview(
        caller: Onlooker, page: Annotated[Page, Depends()], wanted: Annotated[Wanted, Depends()]
    ) -> list[OnboardingAnswer]:
        with runtime.reading() as session:
            rows = wanted.read(session, page, caller)
        now = runtime.clock()
        return [OnboardingAnswer.of(activation, now) for activation in rows]

    @routes.get("/onboardings/{onboarding_id}", summary="One customer's seven steps")
    def show_onboarding(onboarding_id: Reference, caller: Onlooker) -> OnboardingAnswer:
        with runtime.reading() as session:
            seen = load_seen(session, caller, onboarding_id)
        return OnboardingAnswer.of(seen, runtime.clock())

    @routes.get(
        "/onboardings/{onboarding_id}/history", summary="Acts and events in order: who, and when"
    )
    def show_history(onboarding_id: Reference, caller: Onlooker) -> list[Entry]:
        with runtime.reading() as session:
            activation = load_visible(session, caller, onboarding_id)
            acts = runtime.acts(session, activation.onboarding_id)
            return history(session, activation, acts)

    return routes


def _standing(runtime: Runtime, onboarding_id: str) -> OnboardingAnswer:
    with runtime.reading() as session:
        return OnboardingAnswer.of(session.get_one(Activation, onboarding_id), runtime.clock())


def _visible(runtime: Runtime, caller: Caller, reference: str) -> str:
    """The onboarding id of a customer whom the caller may see."""
    with runtime.reading() as session:
        return load_seen(session, caller, reference).onboarding_id
