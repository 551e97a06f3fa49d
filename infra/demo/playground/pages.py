"""The page of the first run: six doors, and what goes on behind them."""

from collections.abc import AsyncIterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from infra.demo.playground.access import require_at_the_machine
from infra.demo.playground.first_page import first_page_of
from infra.demo.playground.happenings import latest
from infra.demo.playground.mailbox_pages import mailbox_pages
from infra.demo.playground.playground import MAIL_OUTAGE_SECONDS, Playground
from infra.demo.simulators.fates import FATES
from infra.demo.simulators.website import OFFICE
from services.activation.staff import sessions
from services.activation.staff.screens import address_of, enter
from services.activation.staff.sessions import StaffMember
from shared.base.errors import NotFound
from shared.base.words import Words
from shared.host.requests import WriteContext
from shared.web.auth import not_there
from shared.web.pages import (
    EventSourceResponse,
    PageTemplates,
    Posted,
    ServerSentEvent,
    changes,
    fingerprint,
    pages_router,
    see_other,
)
from shared.web.pages.visitors import SignInNeeded

templates = PageTemplates(Path(__file__).parent / "templates")

HOME = "/demo"
STAFF: Mapping[str, tuple[StaffMember, str]] = {
    "office": (StaffMember("Kantoor (proef)", "activator", OFFICE), "/"),
    "king": (StaffMember("KING (proef)", "king", None), "/orders"),
    "operator": (StaffMember("Beheer (proef)", "operator", None), "/operations"),
}
"""Whose part is played behind a door, and where that begins."""

DONE: Mapping[str, Words] = {
    "sent": Words("Ze zijn onderweg.", "They are on their way."),
    "busy": Words(
        "Er zijn er nog onderweg; wacht even.", "Some are still under way; wait for them."
    ),
    "bank": Words(
        "De bank weigert de volgende incasso (AM04). Over een week volgt een nieuwe poging; kijk "
        "bij de klant wat hem wordt verteld.",
        "The bank refuses the next direct debit (AM04). Another attempt follows in a week; look at "
        "the customer for what they are told.",
    ),
    "mail": Words(
        "De maildienst is 20 seconden weg. Berichten wachten, en gaan daarna alsnog.",
        "The mail service is away for 20 seconds. Messages wait, and leave after that.",
    ),
    "rubbish": Words(
        "Er is onzin gestuurd. Zij ligt als dode brief bij Beheer, met de reden erbij.",
        "Rubbish was sent. It is a dead letter at Operations, with the reason beside it.",
    ),
    "payer": Words(
        "Er wacht nog geen bevestiging op een handtekening. Schrijf eerst een klant in.",
        "No confirmation waits for a signature yet. Sign a customer up first.",
    ),
}


def playground_pages(playground: Playground) -> APIRouter:
    """All of them."""
    routes = pages_router()
    routes.dependencies.append(Depends(require_at_the_machine))
    _looking(routes, playground)
    _doors(routes, playground)
    _acting(routes, playground)
    both = pages_router()
    both.include_router(routes)
    pictures = partial(first_page_of, playground)
    both.include_router(mailbox_pages(playground.mailbox, pictures))
    return both


def front_page(playground: Playground, request: Request) -> Response:
    """What `/` shows while nobody is signed in.

    Raises:
        SignInNeeded: they do not sit at this machine, so that the page is that of staff.
    """
    try:
        require_at_the_machine(request)
    except NotFound:
        raise SignInNeeded from None
    return _page(playground, request)


def _page(playground: Playground, request: Request) -> Response:
    is_fragment = request.headers.get("hx-request") == "true"
    return templates.page(
        request,
        "behind.html" if is_fragment else "first_run.html",
        done=DONE.get(request.query_params.get("done", "")),
        office=OFFICE,
        has_king=playground.king is not None,
        fates=FATES,
        **_behind(playground),
    )


def _behind(playground: Playground) -> dict[str, Any]:
    happenings, progress = latest(playground.runtimes), playground.journeys.progress
    books, outage = playground.books(), round(playground.outage.remaining)
    return {
        "happenings": happenings,
        "progress": progress,
        "books": books,
        "outage": outage,
        "version": _version(playground),
    }


def _version(playground: Playground) -> str:
    newest = [happening.id for happening in latest(playground.runtimes, limit=1)]
    customers = playground.books().customers
    is_away = playground.outage.remaining > 0
    return fingerprint(newest, playground.journeys.progress, customers, is_away)


def _looking(routes: APIRouter, playground: Playground) -> None:
    @routes.get(HOME)
    def show(request: Request) -> Response:
        return _page(playground, request)

    @routes.get(f"{HOME}/live", response_class=EventSourceResponse)
    async def live(request: Request) -> AsyncIterator[ServerSentEvent]:
        async for event in changes(request, lambda: _version(playground)):
            yield event


def _doors(routes: APIRouter, playground: Playground) -> None:
    @routes.post(f"{HOME}/enter/{{part}}")
    def open_door(request: Request, part: str, _form: Posted) -> Response:
        if part not in STAFF:
            raise not_there()
        member, begins_at = STAFF[part]
        activation = playground.runtime("activation")

        def begin(context: WriteContext) -> sessions.Opened:
            return sessions.begin(context, member, "first run", "")

        by = member.person(address_of(request))
        opened = activation.write(begin, subject=member.name, by=by)
        return enter(request, opened, begins_at, activation.clock())

    @routes.post(f"{HOME}/payer")
    def to_the_payer(_form: Posted) -> Response:
        path = playground.payers_path()
        return see_other(path) if path else see_other(HOME, done="payer")


def _acting(routes: APIRouter, playground: Playground) -> None:
    @routes.post(f"{HOME}/send")
    def send(form: Posted) -> Response:
        if playground.king is None:
            raise not_there()
        count = 50 if form.text("count") == "50" else 1
        return see_other(HOME, done="sent" if playground.journeys.send(count) else "busy")

    @routes.post(f"{HOME}/break/{{what}}")
    def break_something(request: Request, what: str, _form: Posted) -> Response:
        if what == "bank" and playground.king is not None:
            playground.reject_at_the_bank()
        elif what == "mail":
            playground.outage.begin(MAIL_OUTAGE_SECONDS)
        elif what == "rubbish":
            playground.send_rubbish()
        elif what == "process":
            playground.kill_the_process()
            return templates.page(request, "killed.html")
        else:
            raise not_there()
        return see_other(HOME, done=what)
