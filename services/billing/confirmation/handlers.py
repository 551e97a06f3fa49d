"""What billing does about signatures: it records them, takes a slip back, and reminds."""

from collections.abc import Sequence

from services.billing.collection.process import CollectionProcess
from services.billing.commands import RemindUnsigned, SignOrder, WithdrawSignature
from services.billing.confirmation.reminders import (
    put_off_reminder,
    schedule_reminder,
    slips_of,
)
from services.billing.confirmation.signing import (
    STANDING_MANDATE,
    account_on_paper,
    already_signed,
    is_newer,
    is_recorded,
    require_day,
)
from services.billing.confirmation.taking_back import orders_to_unsign
from services.billing.mails import reminder_mails, signature_mails
from services.billing.models import Collection, Mandate, Order
from services.billing.orders import require_order
from shared.base.errors import NotFound
from shared.events import CollectionRequested
from shared.host.settings import Settings
from shared.processing import Effect, EventFor, Loaded, Now
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
    signed: list[Order] = []
    for covered in orders.where(mandate_key=mandate.key, signed_on=None):
        if covered is order or not covered.withdrawn:
            mandate.sign(command.signed_on, iban, holder, now)
            process = CollectionProcess(covered, mandate, collections, settings, now)
            method = command.method if covered is order else STANDING_MANDATE
            effects += process.sign(method, command.signed_on, command.signed_by)
            signed.append(covered)
    return [*effects, *_receipts(order, signed, effects)]


def _receipts(order: Order, signed: Sequence[Order], effects: Sequence[Effect]) -> Sequence[Effect]:
    """Tell payer and office that the paper of an order is here, and when KING collects."""
    asked = [effect for effect in effects if isinstance(effect, EventFor)]
    days = [
        effect.event.collect_on
        for effect in asked
        if isinstance(effect.event, CollectionRequested)
        and effect.event.order_reference == order.reference
    ]
    others = sorted(other.reference or "" for other in signed if other is not order)
    return signature_mails(order, days[0] if days else None, others)


def _sign_anew(
    command: SignOrder, process: CollectionProcess, mandate: Mandate
) -> Sequence[Effect]:
    """Have KING collect under a signature that is given anew, after the former one failed."""
    order = process.order
    wanted = not (process.in_hand or order.withdrawn)
    if wanted and is_newer(command, order, mandate):
        effects = process.amend(command, *account_on_paper(command, order, mandate))
        return [*effects, *_receipts(order, [order], effects)]
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
    processes = orders_to_unsign(order, mandate, orders, collections, settings, now)
    mandate.withdraw_signature(order.registration().payer)
    effects: list[Effect] = []
    for process in processes:
        effects += process.withdraw_signature(command.reason)
        slips = slips_of(collections.where(onboarding_id=process.order.onboarding_id))
        effects += schedule_reminder(process.order, 1, now, slips)
    return effects


def remind_unsigned(
    command: RemindUnsigned,
    orders: Loaded[Order],
    mandates: Loaded[Mandate],
    collections: Loaded[Collection],
    now: Now,
) -> Sequence[Effect]:
    """Remind the payer of the confirmation that has not come back, with the same document."""
    order, mandate = _order_and_mandate(command.order_reference, orders, mandates)
    if order.signed or order.withdrawn:
        return []
    slips = slips_of(collections.where(onboarding_id=order.onboarding_id))
    if slips != (command.slips or 0):
        # The weeks have begun anew meanwhile; they do now where an earlier version left that out.
        return schedule_reminder(order, 1, now, slips)
    if put_off := put_off_reminder(order, command.times, now, slips):
        return put_off
    # While a death is looked into nobody is asked for anything.
    mails = [] if mandate.stopped else reminder_mails(order, command.times)
    return [*mails, *schedule_reminder(order, command.times + 1, now, slips)]


def _order_and_mandate(
    reference: str, orders: Loaded[Order], mandates: Loaded[Mandate]
) -> tuple[Order, Mandate]:
    order = require_order(orders, reference)
    mandate = mandates.get(order.mandate_key)
    if mandate is None:
        raise NotFound("not_found", "This order has no mandate.")
    return order, mandate
