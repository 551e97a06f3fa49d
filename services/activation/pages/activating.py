"""Sending one customer their login details, once more if need be; correcting where they go."""

from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends, Request, Response

from services.activation.commands import ActivateCustomer, ResendCredentials
from services.activation.contact import read_contact
from services.activation.customers import load_visible
from services.activation.login.preview import preview
from services.activation.models import SENDING, SENT, Activation
from services.activation.pages.conflicts import said
from services.activation.pages.customer import TEMPLATES
from services.activation.pages.rows import waits
from services.activation.sending import preferred_channel, resend_pause_ends
from shared.base.errors import Conflict, FieldError, Invalid
from shared.base.words import Words
from shared.events.shapes import Channel
from shared.host.runtime import Runtime
from shared.trade.formats import clock
from shared.web.auth import Caller
from shared.web.pages import (
    FormView,
    Posted,
    PostedForm,
    language_of,
    pages_router,
    see_other,
    staff_with,
)
from shared.web.references import Reference

Activator = Annotated[Caller, Depends(staff_with("users:activate"))]
Amender = Annotated[Caller, Depends(staff_with("contacts:amend"))]
CHOOSE = Words("Kies hoe u de inloggegevens verstuurt.", "Choose how to send the login details.")


def activating(runtime: Runtime) -> APIRouter:
    """The pages on which credentials are sent, and a contact is corrected."""
    routes = pages_router()
    routes.include_router(_sending(runtime))
    routes.include_router(_correcting(runtime))
    return routes


def _sending(runtime: Runtime) -> APIRouter:
    routes = pages_router(prefix="/onboardings")

    @routes.get("/{onboarding_id}/activate")
    def ask(onboarding_id: Reference, request: Request, caller: Activator) -> Response:
        customer = _load(runtime, caller, onboarding_id)
        return _sending_page(runtime, request, customer)

    @routes.post("/{onboarding_id}/activate")
    def send(
        onboarding_id: Reference, request: Request, caller: Activator, form: Posted
    ) -> Response:
        customer = _load(runtime, caller, onboarding_id)
        channel = form.text("channel")
        if channel not in get_args(Channel):
            message = CHOOSE.in_(language_of(request))
            error = FieldError(field="channel", code="choice", message=message)
            return _sending_page(runtime, request, customer, form=form.view([error]))
        command = _command(form, channel, caller)
        subject = customer.onboarding_id
        try:
            runtime.handle(command, subject=subject, by=caller.person, key=form.key)
        except Conflict as conflict:
            # Whoever was first has changed what there is to see.
            customer = _load(runtime, caller, onboarding_id)
            return _sending_page(runtime, request, customer, conflict=conflict)
        return see_other(f"/onboardings/{subject}", done="ordered")

    return routes


def _command(
    form: PostedForm, channel: Any, caller: Caller
) -> ActivateCustomer | ResendCredentials:
    """What the page that was posted had offered: a first sending, or another one."""
    if form.checked("again"):
        return ResendCredentials(channel=channel, by=caller.name, patient=True)
    return ActivateCustomer(channel=channel, by=caller.name)


def _sending_page(
    runtime: Runtime,
    request: Request,
    customer: Activation,
    *,
    form: FormView | None = None,
    conflict: Conflict | None = None,
) -> Response:
    now = runtime.clock()
    pause_ends = resend_pause_ends(customer, now)
    previews = {way: preview(customer, way, runtime.settings, now) for way in get_args(Channel)}
    return TEMPLATES.page(
        request,
        "customer_activate.html",
        status=409 if conflict else 422 if form else 200,
        customer=customer,
        signup=customer.signup,
        now=now,
        form=form or FormView.of({"channel": preferred_channel(customer)}),
        conflict=said(conflict) if conflict else None,
        again=customer.state in (SENDING, SENT),
        pause_ends=clock(pause_ends) if pause_ends else None,
        blockers=waits(customer, now),
        previews=previews,
    )


def _correcting(runtime: Runtime) -> APIRouter:
    routes = pages_router(prefix="/onboardings")

    @routes.get("/{onboarding_id}/contact")
    def ask(onboarding_id: Reference, request: Request, caller: Amender) -> Response:
        customer = _load(runtime, caller, onboarding_id)
        values = FormView.of({"email": customer.email, "mobile": customer.mobile})
        return _contact_page(request, customer, values)

    @routes.post("/{onboarding_id}/contact")
    def amend(
        onboarding_id: Reference, request: Request, caller: Amender, form: Posted
    ) -> Response:
        customer = _load(runtime, caller, onboarding_id)
        try:
            contact = read_contact(form, language_of(request))
        except Invalid as refusal:
            return _contact_page(request, customer, form.view(refusal.errors))
        command, subject = contact.command(caller.name), customer.onboarding_id
        try:
            runtime.handle(command, subject=subject, by=caller.person, key=form.key)
        except Conflict as conflict:
            return _contact_page(request, customer, form.view(), conflict)
        return see_other(f"/onboardings/{subject}", done="corrected")

    return routes


def _contact_page(
    request: Request, customer: Activation, form: FormView, conflict: Conflict | None = None
) -> Response:
    return TEMPLATES.page(
        request,
        "customer_contact.html",
        status=409 if conflict else 422 if form.errors else 200,
        customer=customer,
        form=form,
        conflict=said(conflict) if conflict else None,
    )


def _load(runtime: Runtime, caller: Caller, reference: str) -> Activation:
    with runtime.reading() as session:
        return load_visible(session, caller, reference)
