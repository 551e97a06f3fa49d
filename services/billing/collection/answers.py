"""What became of KING's reports and of people's decisions, read back for the answer."""

from collections.abc import Mapping, Sequence

from sqlmodel import Session, col, select

from services.billing.collection.handlers import order_of_result
from services.billing.collection.responses import (
    DecisionResponse,
    HeldResultResponse,
    TakenResponse,
    TakenResult,
)
from services.billing.commands import DecideResult
from services.billing.models import Collection, Order, UnmatchedResult
from services.billing.models.collection import collection_key
from services.billing.models.money import HeldResult, to_pay_back_cents
from shared.base.errors import NotFound
from shared.events import CollectionResult


def taken(
    session: Session, results: Sequence[CollectionResult], orders: Mapping[str, Order]
) -> TakenResponse:
    """What was taken, result by result; what has no order is held until it appears."""
    references = {result.order_reference for result in results}
    query = select(Collection).where(col(Collection.order_reference).in_(references))
    rows = {row.key: row for row in session.exec(query)}
    listed = []
    for result in results:
        order = orders.get(result.order_reference)
        row = rows.get(collection_key(result.order_reference, result.end_to_end_id))
        listed.append(
            TakenResult(
                **result.model_dump(exclude={"occurred_at", "reason_code"}),
                company=order.registration().customer.company if order else None,
                order_known=order is not None,
                held=bool(row.held) if row else True,
            )
        )
    return TakenResponse(taken=listed)


def decided(session: Session, command: DecideResult) -> DecisionResponse:
    """The result that was decided, and how its order stands now.

    Raises:
        NotFound: there is no such result.
    """
    beside = {"decision": command.decision, "reason": command.reason}
    row = session.get(UnmatchedResult, command.result_id)
    if row is not None:
        result = HeldResultResponse.of_unmatched(row)
        return DecisionResponse(**dict(result), **beside, released=False, to_pay_back_cents=0)
    reference = order_of_result(command.result_id)
    order = session.exec(select(Order).where(Order.reference == reference)).one_or_none()
    query = select(Collection).where(Collection.order_reference == reference)
    rows = session.exec(query).all()
    for collection in rows:
        for fact in collection.results:
            if order is not None and collection.result_id(fact) == command.result_id:
                held = HeldResult(collection, fact, "decided")
                return DecisionResponse(
                    **dict(HeldResultResponse.of(held, order)),
                    **beside,
                    released=order.released,
                    to_pay_back_cents=to_pay_back_cents(rows, withdrawn=order.withdrawn),
                )
    raise NotFound("not_held", "No result by this id waits for a decision.")
