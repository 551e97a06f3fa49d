"""What billing's handlers need loaded, one query each for a whole batch."""

from services.billing.collection.handlers import order_of_result
from services.billing.commands import DecideResult
from services.billing.models import Collection, Mandate, OnlineSigning, Order, UnmatchedResult
from services.billing.models.mandate import mandate_key
from services.billing.models.unmatched import unmatched_id
from services.billing.orders import find_order
from shared.events import CollectionResult, RegistrationCompleted
from shared.processing import Entities, Load, Message, by_subject, through

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
        for order in orders.where(reference=reference)
    ]
    return [order.reference for key in keys for order in orders.where(mandate_key=key)]


def _unmatched_id(message: Message, entities: Entities) -> str | None:
    """What the result may have left behind: nothing where its order is known."""
    content = message.content
    if not isinstance(content, CollectionResult):
        return None
    known = find_order(entities[Order], content.order_reference)
    return unmatched_id(content) if known is None else None


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
OPEN_UNMATCHED = Load(
    UnmatchedResult,
    "open",
    lambda _message, _entities: [1],
    find_by=("order_reference",),
)
"""All of them: there are hardly ever any, and an order does not know its number beforehand."""
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
