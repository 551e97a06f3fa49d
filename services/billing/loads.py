"""What billing's handlers need loaded, one query each for a whole batch."""

from collections.abc import Iterator

from services.billing.collections import Collection
from services.billing.mandates import mandate_key
from services.billing.models import Mandate, Order, UnmatchedResult
from shared.events import RegistrationCompleted
from shared.processing.messages import Delivery
from shared.processing.subscriptions import Batch, Load, by_subject


def _reference(delivery: Delivery, _batch: Batch) -> str | None:
    return getattr(delivery.content, "order_reference", None)


def _mandate_of_event(delivery: Delivery, _batch: Batch) -> str | None:
    """The one mandate under which an office pays for many; others are made with their order."""
    content = delivery.content
    if isinstance(content, RegistrationCompleted) and content.payer.kind == "office":
        return mandate_key(content.payer, content.office.code, "")
    return None


def _orders_meant(delivery: Delivery, batch: Batch) -> list[Order]:
    reference = getattr(delivery.content, "order_reference", None)
    if reference is not None:
        return batch[Order].where(reference=reference)
    own = batch[Order].get(delivery.envelope.subject)
    return [own] if own is not None else []


def _mandate_of_order(delivery: Delivery, batch: Batch) -> Iterator[str]:
    for order in _orders_meant(delivery, batch):
        if order.mandate_key is not None:
            yield order.mandate_key


def _collections_of_order(delivery: Delivery, batch: Batch) -> Iterator[str]:
    for order in _orders_meant(delivery, batch):
        shared = [one for one in batch[Order] if one.mandate_key == order.mandate_key]
        for one in (order, *shared):
            if one.reference is not None:
                yield one.reference


def _end_to_end_id(delivery: Delivery, _batch: Batch) -> str | None:
    return getattr(delivery.content, "end_to_end_id", None)


def _references_held(delivery: Delivery, batch: Batch) -> list[str]:
    wanted = getattr(delivery.content, "end_to_end_id", None)
    return [one.order_reference for one in batch[Collection].where(end_to_end_id=wanted)]


ORDER = by_subject(Order)
ORDER_BY_REFERENCE = Load(Order, "reference", _reference)
MANDATE_OF_EVENT = Load(Mandate, "key", _mandate_of_event)
MANDATE_OF_ORDER = Load(Mandate, "key", _mandate_of_order)
UNSIGNED_OF_MANDATE = Load(
    Order,
    "mandate_key",
    _mandate_of_order,
    only=Order.__table__.c.signed_on.is_(None),  # type: ignore[attr-defined]
)
COLLECTIONS = Load(Collection, "order_reference", _collections_of_order)
OPEN_UNMATCHED = Load(UnmatchedResult, "open", lambda _delivery, _batch: [1])
"""All of them: there are hardly ever any, and an order does not know its number beforehand."""
HELD = Load(Collection, "end_to_end_id", _end_to_end_id)
ORDER_OF_HELD = Load(Order, "reference", _references_held)
COLLECTIONS_OF_HELD = Load(Collection, "order_reference", _references_held)
