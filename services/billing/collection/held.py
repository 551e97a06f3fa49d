"""Results that a person must decide: which there are, and carrying out the decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import uuid5

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlmodel import Session, col, select

from services.billing.collection.answers import decided
from services.billing.collection.deciding import order_unknown, require_acceptable
from services.billing.collection.handlers import order_of_result
from services.billing.collection.responses import DecisionResponse, HeldResultResponse
from services.billing.commands import DecideResult
from services.billing.models import Collection, Order, UnmatchedResult
from services.billing.models.collection import TO_DECIDE
from services.billing.models.money import HeldResult, held_results
from shared.base.errors import Conflict
from shared.events.envelope import NAMESPACE
from shared.host.runtime import Runtime
from shared.trade.text import PlainLine
from shared.web.auth import Caller, not_there
from shared.web.paging import Page


class Decision(BaseModel):
    """What a person decides about a held result: it counts after all, or it does not."""

    decision: Literal["accept", "dismiss"]
    reason: PlainLine = Field(min_length=1, max_length=200)


def results_to_decide(session: Session, office: str | None, page: Page) -> list[HeldResultResponse]:
    """What a person must decide; results of unknown orders belong to no office."""
    query = select(Collection).where(text(TO_DECIDE))
    if office is not None:
        query = query.where(Collection.office_code == office)
    then = "unmatched" if office is None else None
    listed = _held_of(session, page.read(session, query, col(Collection.key), then=then))
    if office is None:
        unmatched = select(UnmatchedResult).where(UnmatchedResult.open == 1)
        order = col(UnmatchedResult.received_at), col(UnmatchedResult.id)
        rows = page.read(session, unmatched, *order, part="unmatched")
        listed += [HeldResultResponse.of_unmatched(row) for row in rows]
    return listed


@dataclass(frozen=True)
class ToDecide:
    """One result that waits for a person; `unacceptable` is why it cannot count, if it cannot."""

    result: HeldResultResponse
    unacceptable: Conflict | None


def result_to_decide(
    session: Session, caller: Caller, result_id: str, shortfall_cents: int
) -> ToDecide:
    """One result that waits for a decision.

    Raises:
        NotFound: nothing by this id waits for a decision of the caller.
    """
    row = session.get(UnmatchedResult, result_id)
    if row is not None and row.open:
        caller.require_office(None)
        return ToDecide(HeldResultResponse.of_unmatched(row), order_unknown())
    by_reference = Order.reference == order_of_result(result_id)
    order = session.exec(select(Order).where(by_reference)).one_or_none()
    if order is None:
        raise not_there()
    caller.require_office(order.office_code)
    rows = session.exec(select(Collection).where(Collection.order_reference == order.reference))
    for held in held_results(rows.all(), withdrawn=order.withdrawn):
        if held.id == result_id:
            refusal = _why_unacceptable(held, shortfall_cents)
            return ToDecide(HeldResultResponse.of(held, order), refusal)
    raise not_there()


def _why_unacceptable(held: HeldResult, shortfall_cents: int) -> Conflict | None:
    try:
        require_acceptable(held, shortfall_cents)
    except Conflict as conflict:
        return conflict
    return None


def decide_result(
    runtime: Runtime, caller: Caller, result_id: str, decision: Decision, key: str | None
) -> DecisionResponse:
    """Carry out a decision about one result, and read back how its order stands.

    Raises:
        NotFound: nothing by this id waits for a decision of the caller.
        Conflict: it cannot be accepted: too little, another currency, an order not known.
    """
    reference = order_of_result(result_id)
    with runtime.reading() as session:
        query = select(Order).where(Order.reference == reference)
        order = session.exec(query).one_or_none()
    caller.require_office(order.office_code if order else None)
    command = DecideResult(
        result_id=result_id, decision=decision.decision, reason=decision.reason, by=caller.name
    )
    runtime.handle(
        command, subject=subject_of(order, reference or result_id), by=caller.person, key=key
    )
    with runtime.reading() as session:
        return decided(session, command)


def subject_of(order: Order | None, reference: str) -> str:
    """Whom it is about: the order's onboarding, or a stand-in for an order that is not known."""
    return order.onboarding_id if order else str(uuid5(NAMESPACE, f"order/{reference}"))


def _held_of(session: Session, rows: Sequence[Collection]) -> list[HeldResultResponse]:
    """Each held result of these collections; which of two payments is the second, all tell."""
    references = {row.order_reference for row in rows}
    keys = {row.key for row in rows}
    query = select(Order).where(col(Order.reference).in_(references))
    orders = {order.reference: order for order in session.exec(query)}
    siblings: dict[str, list[Collection]] = {reference: [] for reference in sorted(references)}
    together = select(Collection).where(col(Collection.order_reference).in_(references))
    for row in session.exec(together):
        siblings[row.order_reference].append(row)
    return [
        HeldResultResponse.of(held, orders[reference])
        for reference, collections in siblings.items()
        for held in held_results(collections, withdrawn=orders[reference].withdrawn)
        if held.collection.key in keys
    ]
