"""What billing does about KING's results: books them, holds them, has a person decide."""

from collections.abc import Sequence

from services.billing.collection.deciding import decide_unmatched, require_acceptable
from services.billing.collection.process import CollectionProcess
from services.billing.collection.unmatched import book_unmatched, schedule_match
from services.billing.commands import (
    CollectAgain,
    DecideResult,
    MatchResults,
    ResumeMandate,
    StopMandate,
)
from services.billing.models import Collection, Mandate, Order, UnmatchedResult
from services.billing.models.unmatched import unmatched_id
from services.billing.orders import find_order, require_order
from shared.base.errors import NotFound
from shared.events import CollectionResult
from shared.host.settings import Settings
from shared.processing import Effect, EventFor, Loaded, Now


def book(
    event: CollectionResult,
    orders: Loaded[Order],
    mandates: Loaded[Mandate],
    collections: Loaded[Collection],
    unmatched: Loaded[UnmatchedResult],
    settings: Settings,
    now: Now,
) -> Sequence[Effect]:
    """Book what KING reports; what belongs to no known order is kept for a person."""
    order = find_order(orders, event.order_reference)
    if order is not None:
        mandate = mandates.get(order.mandate_key)
        return CollectionProcess(order, mandate, collections, settings, now).book(event)
    if unmatched_id(event) in unmatched:
        return []  # The very same was reported before.
    row = unmatched.add(UnmatchedResult.keep(event, now))
    return schedule_match(event.order_reference, 0, now, row.id)


def match_results(
    command: MatchResults,
    orders: Loaded[Order],
    mandates: Loaded[Mandate],
    collections: Loaded[Collection],
    unmatched: Loaded[UnmatchedResult],
    settings: Settings,
    now: Now,
) -> Sequence[Effect]:
    """Book unmatched results whose order has appeared; otherwise look again later."""
    rows = unmatched.where(order_reference=command.order_reference, open=1)
    order = find_order(orders, command.order_reference)
    if not rows:
        return []
    if order is None:
        return schedule_match(command.order_reference, command.times, now, rows[0].id)
    mandate = mandates.get(order.mandate_key)
    return book_unmatched(CollectionProcess(order, mandate, collections, settings, now), rows)


def decide(
    command: DecideResult,
    orders: Loaded[Order],
    mandates: Loaded[Mandate],
    collections: Loaded[Collection],
    unmatched: Loaded[UnmatchedResult],
    settings: Settings,
    now: Now,
) -> Sequence[Effect]:
    """Carry out what a person decided about one held result, and about that alone.

    Raises:
        Conflict: it cannot be accepted: too little, another currency, an order not known.
        NotFound: nothing by this id waits for a decision.
    """
    row = unmatched.get(command.result_id)
    if row is not None and row.open:
        return decide_unmatched(command, row)
    order = find_order(orders, order_of_result(command.result_id))
    if order is not None:
        mandate = mandates.get(order.mandate_key)
        process = CollectionProcess(order, mandate, collections, settings, now)
        for held in process.held:
            if held.id == command.result_id:
                if command.decision == "accept":
                    require_acceptable(held, settings.accept_shortfall_cents)
                return process.decide(held, command.decision, command.by)
    raise NotFound("not_held", "No result by this id waits for a decision.")


def collect_again(
    command: CollectAgain,
    orders: Loaded[Order],
    mandates: Loaded[Mandate],
    collections: Loaded[Collection],
    settings: Settings,
    now: Now,
) -> Sequence[Effect]:
    """Ask KING once more, unless the money came or the customer left meanwhile."""
    order = require_order(orders, command.order_reference)
    mandate = mandates.get(order.mandate_key)
    process = CollectionProcess(order, mandate, collections, settings, now)
    return process.collect_again(after=command.attempt)


def stop_mandate(
    command: StopMandate,
    orders: Loaded[Order],
    mandates: Loaded[Mandate],
    collections: Loaded[Collection],
) -> Sequence[Effect]:
    """Call off what is asked of somebody who has died, unless a person knew better meanwhile."""
    mandate = mandates.get(command.mandate_key)
    if mandate is None or not mandate.stopped:
        return []
    return [
        EventFor(order.onboarding_id, cancelled)
        for order in orders.where(mandate_key=mandate.key)
        for row in collections.where(onboarding_id=order.onboarding_id)
        if (cancelled := row.cancel("deceased")) is not None
    ]


def resume_mandate(
    command: ResumeMandate,
    orders: Loaded[Order],
    mandates: Loaded[Mandate],
    collections: Loaded[Collection],
    settings: Settings,
    now: Now,
) -> Sequence[Effect]:
    """Have KING collect again what was called off, now that nobody has died."""
    mandate = mandates.get(command.mandate_key)
    if mandate is None or mandate.stopped:
        return []
    return [
        effect
        for order in orders.where(mandate_key=mandate.key)
        for effect in CollectionProcess(order, mandate, collections, settings, now).resume()
    ]


def order_of_result(result_id: str) -> str:
    """The reference of the order that a result of this id belongs to."""
    return result_id.rpartition(".")[0]
