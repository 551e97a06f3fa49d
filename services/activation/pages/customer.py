"""One customer: where they stand, what is due, what happens by itself, and all that happened."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import func, select
from sqlmodel import Session, col

from services.activation.checklist import checklist
from services.activation.customers import load_visible
from services.activation.history import HeardFact
from services.activation.models import SENDING, SENT, UNDELIVERABLE, Activation
from services.activation.pages.due import due
from services.activation.pages.rows import step_rows
from services.activation.pages.story import story
from services.activation.pages.wording import ACTORS, CHANNELS, lasting
from services.activation.sending import resend_pause_ends
from services.activation.upcoming import upcoming
from shared.base.words import Words
from shared.host.runtime import Runtime
from shared.notifications.history import messages_about
from shared.trade.catalogue import Article, Catalogue
from shared.trade.formats import clock
from shared.web.auth import Caller
from shared.web.pages import (
    EventSourceResponse,
    PageTemplates,
    ServerSentEvent,
    changes,
    fingerprint,
    language_of,
    pages_router,
    staff_with,
)
from shared.web.references import Reference
from shared.web.scopes import allows

TEMPLATES = PageTemplates(Path(__file__).parents[1] / "templates" / "pages")
DELIVERY = {
    SENDING: (Words("Wordt verstuurd", "Being sent"), "busy"),
    SENT: (Words("Verstuurd", "Sent"), "good"),
    UNDELIVERABLE: (Words("Niet afgeleverd", "Not delivered"), "bad"),
}
SIGN_UP = Words("Bij de inschrijving: handelingen en mails", "At sign-up: acts and mails")
REGISTRATION = Words("Bij het aanmelden: handelingen en mails", "At registration: acts and mails")
ORDER = Words("Bij de order: document, handelingen en mails", "At the order: document, acts, mails")

Onlooker = Annotated[Caller, Depends(staff_with("onboardings:read"))]


def customer(runtime: Runtime) -> APIRouter:
    """The page of one customer."""
    routes = pages_router(prefix="/onboardings")

    @routes.get("/{onboarding_id}")
    def show(onboarding_id: Reference, request: Request, caller: Onlooker) -> Response:
        values = _read(runtime, request, caller, onboarding_id)
        return TEMPLATES.page(request, "customer.html", **values)

    @routes.get("/{onboarding_id}/standing")
    def standing(onboarding_id: Reference, request: Request, caller: Onlooker) -> Response:
        values = _read(runtime, request, caller, onboarding_id)
        is_fragment = request.headers.get("hx-request") == "true"
        name = "customer_standing.html" if is_fragment else "customer.html"
        return TEMPLATES.page(request, name, **values)

    def followed(onboarding_id: Reference, caller: Onlooker) -> Callable[[], str]:
        # Asked once before the stream begins: what refuses must be an answer of its own.
        version_of(runtime, caller, onboarding_id)
        return lambda: version_of(runtime, caller, onboarding_id)

    @routes.get("/{onboarding_id}/changes", response_class=EventSourceResponse)
    async def stream(
        request: Request, version: Annotated[Callable[[], str], Depends(followed)]
    ) -> AsyncIterator[ServerSentEvent]:
        async for change in changes(request, version):
            yield change

    return routes


def version_of(runtime: Runtime, caller: Caller, reference: str) -> str:
    """A text that changes when anything does that this service knows of the customer."""
    with runtime.reading() as session:
        return _version(session, runtime, load_visible(session, caller, reference))


def _version(session: Session, runtime: Runtime, activation: Activation) -> str:
    subject = activation.onboarding_id
    heard = select(func.count()).where(col(HeardFact.onboarding_id) == subject)
    return fingerprint(
        sorted(activation.model_dump().items(), key=lambda pair: pair[0]),
        session.execute(heard).scalar_one(),
        len(runtime.acts(session, subject)),
        messages_about(session, subject),
        # What can be done changes when the pause is over, without anything that happens.
        resend_pause_ends(activation, runtime.clock()),
    )


def _read(runtime: Runtime, request: Request, caller: Caller, reference: str) -> dict[str, Any]:
    now, language = runtime.clock(), language_of(request)
    with runtime.reading() as session:
        activation = load_visible(session, caller, reference)
        acts = runtime.acts(session, activation.onboarding_id)
        entries = story(session, activation, acts, language)
        version = _version(session, runtime, activation)
    where = checklist(activation, now)
    first = where.blockers[0] if where.blockers else None
    return {
        "customer": activation,
        "signup": activation.signup,
        "version": version,
        "steps": step_rows(where, language),
        "blockers": [(blocker, ACTORS[blocker.actor]) for blocker in where.blockers],
        "lasting": lasting(first.since, now) if first else None,
        "due": due(activation, first, lambda scope: allows(caller.scopes, scope)),
        "upcoming": upcoming(activation, now, runtime.settings),
        "entries": entries,
        "delivery": delivery(activation),
        "elsewhere": elsewhere(activation, caller),
        "articles": articles(runtime, activation, language),
        "done": request.query_params.get("done"),
    }


def delivery(activation: Activation) -> tuple[Words, str, Words] | None:
    """How the last message with credentials stands: in a word, its tone, and in a sentence."""
    at, by = activation.ordered_at, activation.ordered_by
    if activation.state not in DELIVERY or at is None:
        return None
    word, tone = DELIVERY[activation.state]
    channel = CHANNELS[activation.channel or "email"]
    return (
        word,
        tone,
        Words(
            f"per {channel.nl}, besteld door {by} om {clock(at)}",
            f"by {channel.en}, ordered by {by} at {clock(at)}",
        ),
    )


def elsewhere(activation: Activation, caller: Caller) -> list[tuple[str, str, Words]]:
    """What other services show of the same customer: an id, the address, and how it is called."""
    parts = [
        ("part-signup", f"/signups/{activation.onboarding_id}/part", "signup:withdraw", SIGN_UP),
        (
            "part-registration",
            f"/registrations/{activation.onboarding_id}/part",
            "registrations:review",
            REGISTRATION,
        ),
    ]
    if activation.order_reference:
        order = f"/orders/{activation.order_reference}/part"
        parts.append(("part-order", order, "orders:read", ORDER))
    return [(id_, url, title) for id_, url, scope, title in parts if allows(caller.scopes, scope)]


def articles(runtime: Runtime, activation: Activation, language: str) -> str | None:
    """The package and its modules by the names that they are sold under, else by their codes."""
    signup = activation.signup
    if signup is None:
        return None
    catalogue = runtime.resource(Catalogue)
    named = {**catalogue.packages, **catalogue.modules}
    codes = [signup.package.code, *signup.package.modules]
    return ", ".join(_name(named[code], language) if code in named else code for code in codes)


def _name(article: Article, language: str) -> str:
    return article.name.in_language("en" if language == "en" else "nl")
