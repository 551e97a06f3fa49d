"""A selection of customers activated at once: checked first, then sent, each with its outcome."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import select
from sqlmodel import Session

from services.activation.commands import ActivateCustomer
from services.activation.models import SENDING, SENT, UNDELIVERABLE, Activation
from services.activation.pages.conflicts import OTHERWISE, SAID
from services.activation.pages.customer import TEMPLATES
from services.activation.rounds import ActivationRound
from services.activation.sending import preferred_channel
from shared.base.errors import Conflict, FieldError, Invalid
from shared.base.words import Words
from shared.host.requests import WriteContext
from shared.host.runtime import Runtime
from shared.persistence.bulk import in_
from shared.trade.references import as_onboarding_id
from shared.web.auth import Caller, not_there
from shared.web.pages import (
    EventSourceResponse,
    Posted,
    ServerSentEvent,
    changes,
    fingerprint,
    pages_router,
    see_other,
    staff_with,
)

Activator = Annotated[Caller, Depends(staff_with("users:activate"))]
MOST = 50
"""At once: as many as the longest page of the work list shows."""
EARLIER = Words("was al verstuurd", "was sent already")
STANDS = {
    SENDING: (Words("wordt verstuurd", "being sent"), "busy"),
    SENT: (Words("verstuurd", "sent"), "good"),
    UNDELIVERABLE: (Words("niet afgeleverd", "not delivered"), "bad"),
}
VOID = (Words("niet verstuurd", "not sent"), "bad")


@dataclass(frozen=True)
class Outcome:
    """What became of one customer of the selection."""

    onboarding_id: str
    company: str
    channel: str
    words: Words
    tone: str
    reason: Words | None = None


def together(runtime: Runtime) -> APIRouter:
    """The pages on which a selection is checked, sent and followed."""
    routes = pages_router()
    routes.include_router(_sending(runtime))

    @routes.get("/activations/{round_id}")
    def show(round_id: str, request: Request, caller: Activator) -> Response:
        return _round_page(runtime, request, caller, round_id, "worklist_round.html")

    @routes.get("/activations/{round_id}/progress")
    def part(round_id: str, request: Request, caller: Activator) -> Response:
        is_fragment = request.headers.get("hx-request") == "true"
        name = "worklist_progress.html" if is_fragment else "worklist_round.html"
        return _round_page(runtime, request, caller, round_id, name)

    def followed(round_id: str, caller: Activator) -> Callable[[], str]:
        # Asked once before the stream begins: what refuses must be an answer of its own.
        _outcomes(runtime, caller, round_id)
        return lambda: fingerprint(_outcomes(runtime, caller, round_id)[1])

    @routes.get("/activations/{round_id}/changes", response_class=EventSourceResponse)
    async def stream(
        request: Request, version: Annotated[Callable[[], str], Depends(followed)]
    ) -> AsyncIterator[ServerSentEvent]:
        async for change in changes(request, version):
            yield change

    return routes


def _sending(runtime: Runtime) -> APIRouter:
    routes = pages_router()

    @routes.get("/activations")
    def check(request: Request, caller: Activator) -> Response:
        ids = _ids(request.query_params.getlist("id"))
        with runtime.reading() as session:
            customers = _visible(session, caller, ids)
        return TEMPLATES.page(
            request,
            "worklist_selection.html",
            ready=[(one, preferred_channel(one)) for one in customers if one.ready],
            others=[one for one in customers if not one.ready],
        )

    @routes.post("/activations")
    def send(caller: Activator, form: Posted) -> Response:
        ids = _ids(form.texts("id"))
        if not ids:
            return see_other("/activations")
        with runtime.reading() as session:
            customers = _visible(session, caller, ids)
        done = [_order(runtime, caller, customer, form.key) for customer in customers]
        round_id = form.id_for(f"{caller.office}/{caller.name}")
        made = ActivationRound(
            id=round_id,
            office_code=caller.office,
            ordered_by=caller.name,
            ordered_at=runtime.clock(),
            customers=done,
        )
        runtime.write(lambda context: _keep(context, made), subject=round_id, by=caller.person)
        return see_other(f"/activations/{round_id}")

    return routes


def _order(runtime: Runtime, caller: Caller, customer: Activation, key: str) -> dict[str, Any]:
    """Order one customer's credentials; sent twice, the form orders them once."""
    subject, channel = customer.onboarding_id, preferred_channel(customer)
    command = ActivateCustomer(channel=channel, by=caller.name)
    refused = None
    try:
        runtime.handle(command, subject=subject, by=caller.person, key=key)
    except Conflict as conflict:
        refused = conflict.code
    return {"id": subject, "channel": channel, "refused": refused}


def _keep(context: WriteContext, made: ActivationRound) -> None:
    """Keep the selection, but for one that was kept when the form came first."""
    if context.session.get(ActivationRound, made.id) is None:
        context.session.add(made)


def _ids(given: Sequence[str]) -> list[str]:
    """The customers of the selection, each once.

    Raises:
        Invalid: it is no selection, or larger than a page of the list.
    """
    ids = [as_onboarding_id(text) for text in dict.fromkeys(given)]
    if None in ids or len(ids) > MOST:
        message = f"Select at most {MOST} customers of the work list."
        error = FieldError(field="id", code="selection", message=message)
        raise Invalid("selection_wrong", message, errors=[error])
    return [text for text in ids if text is not None]


def _visible(session: Session, caller: Caller, ids: Sequence[str]) -> list[Activation]:
    """These customers in the order of their companies; another office's are not there.

    Raises:
        NotFound: one of them is not there.
    """
    column = Activation.__table__.c.onboarding_id  # type: ignore[attr-defined]
    query = select(Activation).where(in_(session, column, ids))
    customers = list(session.execute(query).scalars())
    if len(customers) != len(ids) or any(
        not caller.may_see(customer.office_code) for customer in customers
    ):
        raise not_there()
    return sorted(customers, key=lambda customer: (customer.company or "").casefold())


def _round_page(
    runtime: Runtime, request: Request, caller: Caller, round_id: str, name: str
) -> Response:
    made, outcomes = _outcomes(runtime, caller, round_id)
    return TEMPLATES.page(
        request,
        name,
        round=made,
        outcomes=outcomes,
        finished=sum(outcome.tone != "busy" for outcome in outcomes),
        version=fingerprint(outcomes),
    )


def _outcomes(
    runtime: Runtime, caller: Caller, round_id: str
) -> tuple[ActivationRound, list[Outcome]]:
    """What became of each of the selection until now.

    Raises:
        NotFound: there is no such selection, or it is another office's.
    """
    with runtime.reading() as session:
        known = as_onboarding_id(round_id)
        made = session.get(ActivationRound, known) if known else None
        if made is None:
            raise not_there()
        caller.require_office(made.office_code)
        customers = {
            customer.onboarding_id: customer
            for customer in _visible(session, caller, [one["id"] for one in made.customers])
        }
    return made, [_outcome(customers[one["id"]], one, made) for one in made.customers]


def _outcome(customer: Activation, one: Mapping[str, Any], made: ActivationRound) -> Outcome:
    """How one customer stands; a refusal was one at that time, and stays on record."""
    reason = None
    words, tone = STANDS.get(customer.state or "", VOID)
    if one["refused"] is not None:
        words, tone = VOID
        reason = SAID.get(one["refused"], OTHERWISE)
        if one["refused"] == "already_sent":
            words, tone, reason = EARLIER, "quiet", None
    company = customer.company or customer.reference or customer.onboarding_id
    return Outcome(customer.onboarding_id, company, one["channel"], words, tone, reason)
