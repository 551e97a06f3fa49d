"""Whether a recorded signature can be taken back, and which orders go with it."""

from collections.abc import Sequence

from services.billing.collection.process import CollectionProcess
from services.billing.confirmation.signing import STANDING_MANDATE
from services.billing.models import Collection, Mandate, Order
from shared.base.errors import Conflict
from shared.host.settings import Settings
from shared.processing import Loaded, Now


def orders_to_unsign(
    order: Order,
    mandate: Mandate,
    orders: Loaded[Order],
    collections: Loaded[Collection],
    settings: Settings,
    now: Now,
) -> Sequence[CollectionProcess]:
    """The orders that are unsigned when this one's signature is taken back, this one among them.

    Raises:
        Conflict: nothing is signed, another order's paper covers this one, or KING has reported.
    """
    if not order.signed:
        raise Conflict("not_signed", "No signature of this order is on record.")
    covered = _signed_with(order, mandate, orders)
    _require_own_paper(order, covered)
    processes = [CollectionProcess(other, mandate, collections, settings, now) for other in covered]
    _require_unreported(processes)
    return processes


def _signed_with(order: Order, mandate: Mandate, orders: Loaded[Order]) -> list[Order]:
    """The orders that the mandate's present signature covers, this one among them."""

    def since_then(other: Order) -> bool:
        if mandate.recorded_at is None or other.received_at is None:
            return True
        return other.received_at >= mandate.recorded_at

    return [
        other
        for other in orders.where(mandate_key=mandate.key)
        if other is order or (other.signed and since_then(other))
    ]


def _require_unreported(processes: Sequence[CollectionProcess]) -> None:
    """Refuse to undo what KING has acted upon.

    Raises:
        Conflict: KING has reported something of one of them.
    """
    reported = [process.order.reference for process in processes if process.reported]
    if reported:
        raise Conflict(
            "already_reported",
            f"KING has reported on the collection of {reported[0]} already, so the signature "
            "stays. Have the payer sign anew, or withdraw the customer.",
        )


def _require_own_paper(order: Order, covered: Sequence[Order]) -> None:
    """Take a signature back where it was recorded: a slip about one order is none about others.

    Raises:
        Conflict: another order's paper covers this one.
    """
    if order.signature_method != STANDING_MANDATE:
        return
    paper = [other for other in covered if other.signature_method != STANDING_MANDATE]
    if paper:
        raise Conflict(
            "signed_with_another",
            f"The paper of {paper[0].reference} covers this order too; take that signature back.",
            extra={"paper": paper[0].reference},
        )
