"""What billing's handlers need loaded, one query each for a whole batch."""

from services.billing.models import Collection, Mandate, Order, UnmatchedResult
from services.billing.models.mandate import mandate_key
from shared.events import RegistrationCompleted
from shared.processing import Entities, Load, Message, by_subject, through

ORDER_KEYS = ("reference", "mandate_key")
COLLECTION_KEYS = ("onboarding_id", "order_reference", "end_to_end_id", "held")


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


ORDER = by_subject(Order, find_by=ORDER_KEYS)
ORDER_BY_REFERENCE = Load(Order, "reference", "order_reference", find_by=ORDER_KEYS)
MANDATE_OF_EVENT = Load(Mandate, "key", _mandate_of_event)
MANDATE_OF_ORDER = Load(Mandate, "key", through(ORDER_BY_REFERENCE, "mandate_key"))
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
    find_by=("order_reference", "end_to_end_id"),
)
"""All of them: there are hardly ever any, and an order does not know its number beforehand."""
UNMATCHED_OF_MESSAGE = Load(UnmatchedResult, "id", lambda message, _entities: message.envelope.id)
"""What this very message left behind when its order was not known."""
HELD = Load(Collection, "end_to_end_id", "end_to_end_id", find_by=COLLECTION_KEYS)
ORDER_OF_HELD = Load(Order, "reference", through(HELD, "order_reference"), find_by=ORDER_KEYS)
COLLECTIONS_OF_HELD = Load(
    Collection, "order_reference", through(HELD, "order_reference"), find_by=COLLECTION_KEYS
)
