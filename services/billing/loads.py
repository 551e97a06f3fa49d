"""What billing's handlers need loaded, one query each for a whole batch."""

from datetime import timedelta

from services.billing.collection.handlers import order_of_result
from services.billing.commands import DecideResult
from services.billing.models import Collection, Mandate, OnlineSigning, Order, UnmatchedResult
from services.billing.models.mandate import mandate_key
from services.billing.models.sepa_ids import ORDERS, order_reference
from services.billing.models.unmatched import unmatched_id
from shared.events import CollectionResult, RegistrationCompleted
from shared.processing import Entities, Load, Message, Numbers, by_subject, through
from shared.trade.calendar import business_day

ORDER_KEYS = ("reference", "mandate_key", "signed_on")
COLLECTION_KEYS = ("onboarding_id", "order_reference")


def _mandate_of_event(message: Message, _entities: Entities) -> str | None:
    """The one mandate under which an office pays for many; others are made with their order."""
    content = message.content
    if isinstance(content, RegistrationCompleted) and content.payer.kind == "office":
        return mandate_key(content.payer, content.office.code, "")
    return None


def _references_under_mandate(message: Message, entities: Entities) -> list[str]:
    """The orders under the mandate of the message's order, as far as they are loaded."""
    orders = entities[Order]
    keys = [
        order.mandate_key
        for reference in ORDER_BY_REFERENCE.keys(message, entities)
        for order in orders.look(reference=reference)
    ]
    return [order.reference for key in keys for order in orders.look(mandate_key=key)]


def _unmatched_id(message: Message, entities: Entities) -> str | None:
    """What the result may have left behind: nothing where its order is known."""
    content = message.content
    if not isinstance(content, CollectionResult):
        return None
    known = entities[Order].look(reference=content.order_reference)
    return None if known else unmatched_id(content)


def _references_to_be(message: Message, entities: Entities) -> set[str]:
    """The reference that the order will have: over New Year it may be either year's."""
    order = entities[Order].get(message.envelope.subject)
    if order is not None and order.placed:
        return set()
    numbers: Numbers = entities.resources[Numbers]
    number = numbers.foresee(ORDERS, message.envelope.id)
    days = entities.now, entities.now + timedelta(days=1)
    return {order_reference(business_day(day), number) for day in days}


def _order_of_result(message: Message, _entities: Entities) -> str | None:
    content = message.content
    return order_of_result(content.result_id) if isinstance(content, DecideResult) else None


ORDER = by_subject(Order, find_by=ORDER_KEYS)
ORDER_BY_REFERENCE = Load(Order, "reference", "order_reference", find_by=ORDER_KEYS)
MANDATE_OF_EVENT = Load(Mandate, "key", _mandate_of_event)
MANDATE_OF_ORDER = Load(Mandate, "key", through(ORDER_BY_REFERENCE, "mandate_key"))
SIGNINGS_OF_ORDER = Load(
    OnlineSigning, "onboarding_id", through(ORDER_BY_REFERENCE, "onboarding_id")
)
UNSIGNED_OF_MANDATE = Load(
    Order,
    "mandate_key",
    through(ORDER_BY_REFERENCE, "mandate_key"),
    only={"signed_on": None},
    find_by=ORDER_KEYS,
)
COLLECTIONS_OF_SUBJECT = Load(
    Collection, "order_reference", through(ORDER, "reference"), find_by=COLLECTION_KEYS
)
COLLECTIONS_OF_ORDER = Load(
    Collection, "order_reference", "order_reference", find_by=COLLECTION_KEYS
)
COLLECTIONS_UNDER_MANDATE = Load(
    Collection, "order_reference", _references_under_mandate, find_by=COLLECTION_KEYS
)
UNMATCHED_BEFORE_ORDER = Load(
    UnmatchedResult,
    "order_reference",
    _references_to_be,
    only={"open": 1},
    find_by=("open",),
)
"""What waits for the very order that is about to be placed: thousands may wait for others."""
UNMATCHED_OF_ORDER = Load(
    UnmatchedResult,
    "order_reference",
    "order_reference",
    only={"open": 1},
    find_by=("open",),
)
UNMATCHED_OF_EVENT = Load(UnmatchedResult, "id", _unmatched_id)
"""What the very same result left behind when its order was not known."""
UNMATCHED_BY_ID = Load(UnmatchedResult, "id", "result_id")
ORDER_OF_RESULT = Load(Order, "reference", _order_of_result, find_by=ORDER_KEYS)
MANDATE_OF_RESULT = Load(Mandate, "key", through(ORDER_OF_RESULT, "mandate_key"))
COLLECTIONS_OF_RESULT = Load(
    Collection, "order_reference", _order_of_result, find_by=COLLECTION_KEYS
)
ALL_OF_MANDATE = Load(
    Order, "mandate_key", through(ORDER_BY_REFERENCE, "mandate_key"), find_by=ORDER_KEYS
)
STOPPED_MANDATE = Load(Mandate, "key", "mandate_key")
ORDERS_OF_STOPPED = Load(Order, "mandate_key", "mandate_key", find_by=ORDER_KEYS)
COLLECTIONS_OF_STOPPED = Load(
    Collection, "order_reference", through(ORDERS_OF_STOPPED, "reference"), find_by=COLLECTION_KEYS
)
