"""The customer's own page: where things stand, and what they can do about it."""

from collections.abc import AsyncIterator, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.activation import facts
from services.activation.checklist import checklist
from services.activation.commands import SendLink
from services.activation.contact import read_contact
from services.activation.links import link_key, links_from
from services.activation.models import Activation
from services.activation.pages.status_words import (
    EXPLANATIONS,
    FINISHED,
    FINISHED_EXPLANATION,
    HEADLINES,
    STEPS,
)
from services.activation.standing import Blocker
from services.activation.upcoming import Upcoming, upcoming
from shared.base.errors import Conflict, Invalid
from shared.base.words import Words
from shared.events import RegistrationDeclined, SignupRejected
from shared.events.shapes import Language
from shared.host.runtime import Runtime
from shared.links import Purpose
from shared.notifications.senders.outgoing import masked_address
from shared.processing import Person
from shared.web.pages import (
    EventSourceResponse,
    FormView,
    LinkHolder,
    PageTemplates,
    Posted,
    PostedForm,
    ServerSentEvent,
    changes,
    fingerprint,
    holder_of,
    language_of,
    link_over_page,
    pages_router,
    see_other,
)

templates = PageTemplates(Path(__file__).parents[1] / "templates" / "pages")


def status_pages(runtime: Runtime) -> APIRouter:
    """What the link in a customer's mails leads to."""
    routes = pages_router(prefix="/status/{token}")
    _looking(routes, runtime)
    _asking(routes, runtime)
    return routes


def _looking(routes: APIRouter, runtime: Runtime) -> None:
    @routes.get("")
    def status(request: Request, token: str) -> Response:
        holder, activation = _opened(runtime, token)
        return _page(request, runtime, holder, activation)

    def known(token: str) -> str:
        _opened(runtime, token)  # Once a stream has begun, it can be answered with no other status.
        return token

    @routes.get("/live", response_class=EventSourceResponse)
    async def live(
        request: Request, token: Annotated[str, Depends(known)]
    ) -> AsyncIterator[ServerSentEvent]:
        def version() -> str:
            return _version(*_opened(runtime, token))

        async for event in changes(request, version):
            yield event


def _asking(routes: APIRouter, runtime: Runtime) -> None:
    @routes.post("/contact")
    def correct(request: Request, token: str, form: Posted) -> Response:
        holder, activation = _opened(runtime, token)
        if activation is None or not holder.may_enter(links_from(activation)):
            return _page(request, runtime, holder, activation)
        return _correct(request, runtime, holder, activation, form)

    @routes.post("/new-link")
    def new_link(request: Request, token: str, _form: Posted) -> Response:
        holder, activation = _opened(runtime, token)
        if activation is not None and holder.may_enter(links_from(activation)):
            return see_other(f"/status/{token}")
        if activation is not None:
            now = runtime.clock()
            by = _customer(request, activation)
            key = link_key(activation.onboarding_id, now)
            runtime.handle(SendLink(), subject=activation.onboarding_id, by=by, key=key)
        language = _language(activation)
        return link_over_page(request, holder, to=None, is_sent=True, language=language)


def _opened(runtime: Runtime, token: str) -> tuple[LinkHolder, Activation | None]:
    """Whose link it is, and what is known of them by now, if anything.

    Raises:
        NotFound: it is no link to this page.
    """
    holder = holder_of(runtime.settings.page_links(), Purpose.STATUS, token, runtime.clock())
    with runtime.reading() as session:
        activation = session.get(Activation, holder.onboarding_id)
    is_known = activation is not None and (
        activation.signup is not None or facts.holds(activation.facts, SignupRejected)
    )
    return holder, activation if is_known else None


def _page(
    request: Request,
    runtime: Runtime,
    holder: LinkHolder,
    activation: Activation | None,
    form: FormView | None = None,
    refusal: Conflict | None = None,
) -> Response:
    if not holder.may_enter(None if activation is None else links_from(activation)):
        to = masked_address(activation.email) if activation and activation.email else None
        return link_over_page(request, holder, to=to, language=_language(activation))
    if activation is None:
        return templates.page(request, "status_soon.html")
    is_fragment = request.headers.get("hx-request") == "true"
    return templates.page(
        request,
        "status_standing.html" if is_fragment else "status.html",
        status=422 if form else 409 if refusal else 200,
        language=_language(activation),
        holder=holder,
        version=_version(holder, activation),
        **_correcting(request, activation, form, refusal),
        **_standing(runtime, activation),
    )


def _correcting(
    request: Request, activation: Activation, form: FormView | None, refusal: Conflict | None
) -> dict[str, Any]:
    """The form for another address, and what came of it."""
    return {
        "form": form or FormView.of({"email": activation.email, "mobile": activation.mobile}),
        "has_errors": form is not None,
        "is_refused": refusal is not None,
        "is_changed": request.query_params.get("done") == "changed",
    }


def _standing(runtime: Runtime, activation: Activation) -> dict[str, Any]:
    """Where the customer stands, in their own words."""
    now, signup = runtime.clock(), activation.signup
    where = checklist(activation, now)
    blocker = _foremost(where.blockers)
    links, onboarding_id = runtime.settings.page_links(), activation.onboarding_id
    pays = signup is not None and signup.payer.kind == "customer"
    return {
        "signup": signup,
        "branding": signup.office if signup else None,
        "activation": activation,
        "steps": where.steps,
        "step_words": STEPS,
        **_told(activation, blocker),
        "pays": pays,
        "sign_path": links.path(Purpose.SIGN, onboarding_id, now)
        if pays and blocker and blocker.code == "signature_missing"
        else None,
        "withdraw_path": links.path(Purpose.WITHDRAW, onboarding_id, now)
        if signup and not activation.withdrawn
        else None,
        "upcoming": _by_what(upcoming(activation, now, runtime.settings)),
        "may_correct": signup is not None and not activation.attempt and not activation.withdrawn,
    }


def _told(activation: Activation, blocker: Blocker | None) -> dict[str, Any]:
    """What the customer reads of what they wait for, if anything."""
    return {
        "blocker": blocker,
        "headline": HEADLINES[blocker.code] if blocker else FINISHED,
        "explanation": EXPLANATIONS[blocker.code] if blocker else FINISHED_EXPLANATION,
        "reason": _reason(activation, blocker),
    }


def _foremost(blockers: Sequence[Blocker]) -> Blocker | None:
    """What the customer is told first: that they are kept out comes before the money that is why.

    So the page says what the mail about it said.
    """
    kept_out = (blocker for blocker in blockers if blocker.code == "suspended")
    return next(kept_out, next(iter(blockers), None))


def _by_what(entries: Sequence[Upcoming]) -> list[tuple[Words, list[date]]]:
    """What happens by itself, each thing once with all its days."""
    days: dict[Words, list[date]] = {}
    for entry in entries:
        days.setdefault(entry.words, []).extend([entry.at] if entry.at else [])
    return list(days.items())


def _reason(activation: Activation, blocker: Blocker | None) -> list[str]:
    """What somebody said, where that is what the customer needs to know."""
    if blocker is None:
        return []
    if blocker.code == "declined":
        declined = facts.read(activation.facts, RegistrationDeclined)
        return [declined.reason] if declined else []
    if blocker.code == "signup_rejected":
        rejected = facts.read(activation.facts, SignupRejected)
        return [error.message for error in rejected.errors] if rejected else []
    return []


def _correct(
    request: Request,
    runtime: Runtime,
    holder: LinkHolder,
    activation: Activation,
    posted: PostedForm,
) -> Response:
    """Correct the address, and go on with a link that holds: the one in hand ends with it."""
    language = language_of(request, _language(activation))
    try:
        contact = read_contact(posted, language, needs_email=True)
    except Invalid as refusal:
        return _page(request, runtime, holder, activation, posted.view(refusal.errors))
    command = contact.command("customer", before_activation=True)
    subject, by = activation.onboarding_id, _customer(request, activation)
    try:
        runtime.handle(command, subject=subject, by=by, key=posted.key)
    except Conflict as conflict:
        return _page(request, runtime, holder, activation, refusal=conflict)
    path = runtime.settings.page_links().path(Purpose.STATUS, subject, runtime.clock())
    return see_other(path, done="changed")


def _version(holder: LinkHolder, activation: Activation | None) -> str:
    if activation is None:
        return "unknown"
    return fingerprint(
        activation.facts,
        activation.state,
        activation.email,
        activation.mobile,
        activation.sent_at,
        activation.expires_at,
        activation.first_login_at,
        holder.may_enter(links_from(activation)),
    )


def _language(activation: Activation | None) -> Language | None:
    signup = None if activation is None else activation.signup
    return None if signup is None else signup.customer.language


def _customer(request: Request, activation: Activation) -> Person:
    """The customer, for the record of acts; who holds the link is not told apart."""
    address = request.client.host if request.client else ""
    return Person("customer", activation.office_code, address)
