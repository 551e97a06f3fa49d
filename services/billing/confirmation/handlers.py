"""What billing does about signatures: it records them, takes a slip back, and reminds."""

from collections.abc import Sequence

from services.billing.collection.process import CollectionProcess
from services.billing.commands import RemindUnsigned, SignOrder, WithdrawSignature
from services.billing.confirmation.reminders import schedule_reminder
from services.billing.confirmation.signing import (
    STANDING_MANDATE,
    account_on_paper,
    already_signed,
    is_newer,
    is_recorded,
    require_day,
)
from services.billing.mails import reminder_mails
from services.billing.models import Collection, Mandate, Order
from services.billing.orders import require_order
from shared.base.errors import Conflict, NotFound
from shared.host.settings import Settings
from shared.processing import Effect, Loaded, Now
from shared.trade.calendar import business_day


def sign(
    command: SignOrder,
    orders: Loaded[Order],
    mandates: Loaded[Mandate],
    collections: Loaded[Collection],
    settings: Settings,
    now: Now,
) -> Sequence[Effect]:
    """Record the signed confirmation, and ask KING to collect only now.

    Raises:
        Conflict: it is signed with other data, or withdrawn.
        Invalid: it cannot have been signed on that day, or no IBAN is known.
    """
    order, mandate = _order_and_mandate(command.order_reference, orders, mandates)
    require_day(command, order, business_day(now))
    process = CollectionProcess(order, mandate, collections, settings, now)
    if order.signed:
        return _sign_anew(command, process, mandate)
    iban, holder = account_on_paper(command, order, mandate)
    effects: list[Effect] = []
    for covered in orders.where(mandate_key=mandate.key, signed_on=None):
        if covered is order or not covered.withdrawn:
            mandate.sign(command.signed_on, iban, holder, now)
            process = CollectionProcess(covered, mandate, collections, settings, now)
            method = command.method if covered is order else STANDING_MANDATE
            effects += process.sign(method, command.signed_on, command.signed_by)
    return effects


def _sign_anew(
    command: SignOrder, process: CollectionProcess, mandate: Mandate
) -> Sequence[Effect]:
    """Have KING collect under a signature that is given anew, after the former one failed."""
    order = process.order
    wanted = not (process.in_hand or order.withdrawn)
    if wanted and is_newer(command, order, mandate):
        return process.amend(command, *account_on_paper(command, order, mandate))
    if is_recorded(command, order, mandate):
        return []
    raise already_signed(order, mandate)


def withdraw_signature(
    command: WithdrawSignature,
    orders: Loaded[Order],
    mandates: Loaded[Mandate],
    collections: Loaded[Collection],
    settings: Settings,
    now: Now,
) -> Sequence[Effect]:
    """Take back a signature that was recorded by mistake, with all orders that it covered.

    Raises:
        Conflict: nothing is signed, another order's paper covers this one, or KING has reported.
    """
    order, mandate = _order_and_mandate(command.order_reference, orders, mandates)
    if not order.signed:
        raise Conflict("not_signed", "No signature of this order is on record.")
    covered = _signed_with(order, mandate, orders)
    _require_own_paper(order, covered)
    processes = [CollectionProcess(other, mandate, collections, settings, now) for other in covered]
    _require_unreported(processes)
    mandate.withdraw_signature(order.registration().payer)
    effects: list[Effect] = []
    for process in processes:
        effects += process.withdraw_signature(command.reason)
        effects += schedule_reminder(process.order, 1, now)
    return effects


def remind_unsigned(
    command: RemindUnsigned, orders: Loaded[Order], mandates: Loaded[Mandate], now: Now
) -> Sequence[Effect]:
    """Remind the payer of the confirmation that has not come back, with the same document."""
    order, mandate = _order_and_mandate(command.order_reference, orders, mandates)
    if order.signed or order.withdrawn:
        return []
    # While a death is looked into nobody is asked for anything.
    mails = [] if mandate.stopped else reminder_mails(order, command.times)
    return [*mails, *schedule_reminder(order, command.times + 1, now)]


def _order_and_mandate(
    reference: str, orders: Loaded[Order], mandates: Loaded[Mandate]
) -> tuple[Order, Mandate]:
    order = require_order(orders, reference)
    mandate = mandates.get(order.mandate_key)
    if mandate is None:
        raise NotFound("not_found", "This order has no mandate.")
    return order, mandate


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
        )
